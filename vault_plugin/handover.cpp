#include "handover.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <type_traits>

namespace issuer::vault {
namespace {

using Json = Poco::JSON::Object;

constexpr std::int64_t version = 1;

/// Tells one run of the machine from another.
std::string currentBoot()
{
	std::string id;
	std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
	return id;
}

#if defined(__LP64__)
// A field of the memory came or went: say so below, and test that it comes through.
static_assert(sizeof(renewal::Memory) == 344);
#endif

/// The one list of what is handed over, for both directions. Not in it: what only matters while a request is out, and
/// the dice, of which the successor has its own.
template <class Memory, class Visit>
void forEachField(Memory& memory, const Visit& visit)
{
	using namespace renewal;
	auto& life = memory.life;
	visit("life.end", life.end, Life::End::never);
	visit("life.earliest", life.earliest);
	visit("life.latest", life.latest);
	visit("life.hope_from", life.hopeFrom);
	visit("life.hope_until", life.hopeUntil);
	visit("life.lease", life.lease);
	visit("life.full_lease", life.fullLease);
	visit("life.wall", life.wall);
	visit("life.wall_within", life.wallWithin);
	visit("life.wall_met", life.wallMet);
	visit("state", memory.state, State::expired);
	visit("reason", memory.reason, Reason::credentialUnreadable);
	visit("question", memory.question, Question::probe);
	visit("next", memory.next);
	visit("started", memory.started);
	visit("not_before", memory.notBefore);
	visit("seen.boot", memory.seen.boot);
	visit("seen.wall", memory.seen.wall);
	visit("failures", memory.failures);
	visit("streak", memory.streak);
	visit("failing", memory.failing, Failing::denied);
	visit("unmoved", memory.unmoved);
	visit("repairing", memory.repairing);
	visit("failing_since", memory.failingSince);
	visit("least_latency", memory.leastLatency);
	visit("latency", memory.latency);
	visit("last_latency", memory.lastLatency);
	visit("last_success", memory.lastSuccess);
	visit("last_attempt", memory.lastAttempt);
	visit("successes", memory.successes);
	visit("failures_ever", memory.failuresEver);
	visit("not_renewables", memory.notRenewables);
	visit("told.state", memory.toldState, State::expired);
	visit("told.lease", memory.toldLease);
	visit("told.wall", memory.toldWall);
	visit("told.not_renewable", memory.toldNotRenewable);
	visit("told.failing", memory.toldFailing);
	visit("told.unreadable", memory.toldUnreadable);
	visit("notes.unspent", memory.notesUnspent);
	visit("notes.counted", memory.notesCounted);
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

/// Reads what a Writer has written; throws std::runtime_error naming the field that is not so.
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
	/// Nothing that sums of times could overflow with; only "never yet" lies farther away, on either side.
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
	return text.str();
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
	if (json->optValue<std::string>("boot", "") != currentBoot()) {
		return failure("a hand-over from before this machine's last boot: its clock means nothing now");
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
