#include "handover.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/NumberFormatter.h>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <type_traits>

namespace issuer::vault {
namespace {

using Json = Poco::JSON::Object;

constexpr std::int64_t version = 2;

/// Returns the id of this boot of the machine; empty: unknown.
std::string currentBoot()
{
	std::string id;
	std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
	return id;
}

#if defined(__LP64__)
// A field of the memory came or went: say so below, and test that it comes through.
static_assert(sizeof(renewal::Memory) == 296);
#endif

/// The one list of what is handed over, for both directions: facts, from which the successor computes state and plan
/// itself. Not in it: what an event of the successor tells anew.
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
	visit("lease.ask_full", lease.askFull);
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

/// Writes a field as a whole number: microseconds for times, the value for the rest; null for nothing.
class Writer
{
public:
	explicit Writer(Json& json) : _json(json) {}

	template <class T, class... Limit>
	void operator()(const char* name, const T& value, Limit...) const
	{
		_json.set(name, number(value));
	}

private:
	template <class T>
	static Poco::Dynamic::Var number(const T& value)
	{
		if constexpr (requires { value.has_value(); }) {
			return value ? number(*value) : Poco::Dynamic::Var();
		}
		else if constexpr (requires { value.time_since_epoch(); }) {
			return std::int64_t{value.time_since_epoch().count()};
		}
		else if constexpr (requires { value.count(); }) {
			return std::int64_t{value.count()};
		}
		else {
			return static_cast<std::int64_t>(value);
		}
	}

	Json& _json;
};

/// Reads what a Writer has written; throws std::runtime_error that names a field of another form.
class Reader
{
public:
	explicit Reader(const Json& json) : _json(json) {}

	template <class T>
	void operator()(const char* name, T& value) const
	{
		if constexpr (requires { value.reset(); }) {
			value.reset();
			if (!_json.has(name) || _json.isNull(name)) {
				return;
			}
			(*this)(name, value.emplace());
		}
		else if constexpr (requires { value.time_since_epoch(); }) {
			value = T(typename T::duration(time(name)));
		}
		else if constexpr (requires { value.count(); }) {
			value = T(time(name));
		}
		else {
			constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
			value = static_cast<T>(number(name, std::int64_t{std::numeric_limits<T>::min()}, most));
		}
	}

	template <class Enum>
	void operator()(const char* name, Enum& value, Enum last) const
	{
		value = static_cast<Enum>(number(name, 0, static_cast<std::uint64_t>(last)));
	}

private:
	/// Reads a time, bounded so that sums of times cannot overflow; only "never yet" lies farther away, on either side.
	std::int64_t time(const char* name) const
	{
		constexpr auto longest = Duration(std::chrono::years(300)).count();
		const auto time = number(name);
		const bool never = time == Duration::min().count() || time == Duration::max().count();
		return never ? time : number(name, -longest, longest);
	}

	std::int64_t number(const char* name, std::int64_t least = std::numeric_limits<std::int64_t>::min(),
		std::uint64_t most = std::uint64_t{std::numeric_limits<std::int64_t>::max()}) const
	{
		const auto value = _json.get(name);
		if (!value.isInteger() || value.isBoolean()) {
			throw std::runtime_error(std::string(name) + " is not a whole number");
		}
		const auto number = value.convert<std::int64_t>();
		if (number < least || (number > 0 && static_cast<std::uint64_t>(number) > most)) {
			throw std::runtime_error(std::string(name) + " is out of its range");
		}
		return number;
	}

	const Json& _json;
};

} // namespace

std::string toText(const Handover& handover)
{
	Json json(Poco::JSON_PRESERVE_KEY_ORDER);
	json.set("version", version);
	json.set("boot", currentBoot());
	json.set("token", handover.tokenMark);
	forEachField(handover.memory, Writer(json));
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
	parser.setDepth(4);
	const auto json = parser.parse(std::string(text)).extract<Json::Ptr>();
	if (json->optValue<std::int64_t>("version", 0) != version) {
		return failure("a hand-over of a version that this plugin does not know");
	}
	if (!unsealed(text)) {
		return failure("a damaged hand-over: its checksum is not that of its text");
	}
	const auto boot = currentBoot();
	if (boot.empty() || json->optValue<std::string>("boot", "") != boot) {
		return failure(
			"a hand-over that is not known to be of this machine's present run: its clock means nothing now");
	}
	Handover handover;
	handover.tokenMark = json->getValue<std::string>("token");
	forEachField(handover.memory, Reader(*json));
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

} // namespace issuer::vault
