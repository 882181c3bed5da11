#include "handover.h"

#include "handover_fields.h"
#include "handover_login.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/NumberFormatter.h>
#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace issuer::vault {
namespace {

using Json = Poco::JSON::Object;
using handover::Reader;
using handover::Writer;

constexpr std::int64_t version = 2;

#if defined(__LP64__)
// A field of the memory came or went: say so below, and test that it comes through.
static_assert(sizeof(renewal::Memory) == 288);
#endif

/// Lists the fields that are handed over, for both directions: facts, from which the successor computes state and plan
/// itself. Leaves out facts that the successor's first event tells anew.
template <class Memory, class Visit>
void forEachField(Memory& memory, const Visit& visit)
{
	using namespace renewal;
	auto& lease = memory.lease;
	visit("lease.end", lease.end, Lease::End::never);
	visit("lease.earliest", lease.earliest);
	visit("lease.latest", lease.latest);
	visit("lease.if_renewed_earliest", lease.ifRenewedEarliest);
	visit("lease.if_renewed_latest", lease.ifRenewedLatest);
	visit("lease.granted", lease.granted);
	visit("lease.full", lease.full);
	visit("lease.max_ttl_end", lease.maxTtlEnd);
	visit("lease.max_ttl_within", lease.maxTtlWithin);
	visit("lease.max_ttl_reached", lease.maxTtlReached);
	auto& retry = memory.retry;
	visit("retry.as_of", retry.asOf);
	visit("retry.at_once", retry.atOnce);
	visit("retry.not_before", retry.notBefore);
	visit("retry.kind", retry.kind, Failing::dead);
	visit("retry.reason", retry.reason, Reason::credentialUnreadable);
	visit("retry.streak", retry.streak);
	visit("retry.failures", retry.failures);
	visit("retry.failing_since", retry.failingSince);
	visit("retry.refusals", retry.refusals);
	visit("retry.useless", retry.useless);
	visit("retry.renew_next", retry.renewNext);
	visit("owed", memory.owed, Owed::remains);
	visit("accepted", memory.accepted);
	visit("death", memory.death, Reason::credentialUnreadable);
	visit("unrenewable", memory.unrenewable, Reason::credentialUnreadable);
	visit("latency", memory.latency.recent);
	visit("started", memory.started);
	auto& told = memory.told;
	visit("told.bound", told.bound, Reason::credentialUnreadable);
	visit("told.failing", told.failing);
	visit("told.notes_unspent", told.notesUnspent);
	visit("told.notes_counted", told.notesCounted);
	visit("told.successes", told.successes);
	visit("told.failures", told.failures);
	visit("told.not_renewables", told.notRenewables);
	visit("told.last_success", told.lastSuccess);
}

/// Returns the FNV-1a hash: detects a text that was damaged on its way, not one that was forged.
std::string checksumOf(std::string_view text)
{
	std::uint64_t sum = 0xcbf29ce484222325U;
	for (const char byte : text) {
		sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
	}
	return Poco::NumberFormatter::formatHex(sum, 16);
}

constexpr std::string_view beforeChecksum = R"(,"checksum":")";
constexpr std::string_view afterChecksum = R"("})";

/// Returns the JSON object with its checksum added as the last member.
std::string sealed(std::string object)
{
	const auto sum = checksumOf(object);
	object.pop_back();
	return object.append(beforeChecksum).append(sum).append(afterChecksum);
}

/// Returns the object without its checksum; nothing if the checksum does not fit.
std::optional<std::string> unsealed(std::string_view text)
{
	const auto at = text.rfind(beforeChecksum);
	if (at == std::string_view::npos || !text.ends_with(afterChecksum)) {
		return std::nullopt;
	}
	const auto object = std::string(text.substr(0, at)) + '}';
	return sealed(object) == text ? std::optional(object) : std::nullopt;
}

} // namespace

std::string currentBoot()
{
	std::string id;
	std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
	return id;
}

std::string toText(const Handover& handover)
{
	Json json(Poco::JSON_PRESERVE_KEY_ORDER);
	json.set("version", version);
	json.set("boot", handover.boot);
	if (handover.seen) {
		const Writer write(json);
		write("seen.boot", handover.seen->boot);
		write("seen.wall", handover.seen->wall);
	}
	json.set("token", handover.tokenMark);
	forEachField(handover.memory, Writer(json));
	if (handover.login) {
		json.set("login", handover::toJson(*handover.login));
	}
	std::ostringstream text;
	json.stringify(text);
	return sealed(text.str());
}

Result<Handover> handoverFrom(std::string_view text)
try {
	constexpr std::size_t longest = std::size_t{64} * 1024;
	if (text.size() > longest) {
		return failure("a hand-over of more than 64 KiB");
	}
	Poco::JSON::Parser parser;
	parser.setDepth(5);
	const auto json = parser.parse(std::string(text)).extract<Json::Ptr>();
	if (json->optValue<std::int64_t>("version", 0) != version) {
		return failure("a hand-over of a version that this plugin does not know");
	}
	if (!unsealed(text)) {
		return failure("a damaged hand-over: its checksum is not that of its text");
	}
	Handover handover;
	handover.boot = json->optValue<std::string>("boot", "");
	if (json->has("seen.boot")) {
		auto& seen = handover.seen.emplace();
		const Reader read(*json);
		read("seen.boot", seen.boot);
		read("seen.wall", seen.wall);
	}
	else if (handover.boot.empty() || handover.boot != currentBoot()) {
		return failure("a hand-over of another run of the machine, or of another machine, that does not tell the time "
					   "at which it was written: its clock means nothing now");
	}
	handover.tokenMark = json->getValue<std::string>("token");
	forEachField(handover.memory, Reader(*json));
	if (const auto login = json->getObject("login")) {
		handover.login = std::make_unique<LoginHandover>(handover::loginFrom(*login));
	}
	return handover;
}
catch (const std::bad_alloc&) {
	throw;
}
catch (const Poco::Exception&) {
	return failure("a damaged hand-over: not the JSON object that export_state writes");
}
catch (const std::exception& error) {
	return failure(std::string("a damaged hand-over: ") + error.what());
}

Result<void> moveTo(const Moment& now, Handover& state)
{
	if (!state.seen || (!state.boot.empty() && state.boot == currentBoot())) {
		return {};
	}
	const handover::Mover mover(*state.seen, now);
	forEachField(state.memory, mover);
	if (state.login) {
		handover::moveBy(mover, *state.login);
	}
	state.boot = currentBoot();
	state.seen = now;
	auto& lease = state.memory.lease;
	if (lease.known() && lease.earliest > now.boot + std::max(lease.granted, lease.full) + clockError) {
		return failure("a hand-over of another machine by whose clock the token would live for longer than its whole "
					   "lease: compare the clocks of both");
	}
	lease.earliest -= clockError;
	lease.latest += clockError;
	lease.ifRenewedEarliest -= clockError;
	lease.ifRenewedLatest += clockError;
	lease.maxTtlWithin += clockError;
	return {};
}

} // namespace issuer::vault
