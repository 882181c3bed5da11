#include "fleet/runner/runner.h"

#include "common/boot_time.h"
#include "common/unix_time.h"
#include "fleet/ring_text.h"

#include <algorithm>
#include <fstream>
#include <issuer/kit/signals_blocked.h>
#include <iterator>
#include <system_error>
#include <utility>
#include <variant>

namespace issuer::fleet {

using observe::Action;
using std::chrono::milliseconds;

namespace {

std::string reasonName(Why why)
{
	switch (why) {
	case Why::first:
		return "first";
	case Why::late:
		return "late";
	case Why::untold:
		return "untold";
	case Why::withoutEngine:
		return "without_engine";
	}
	return {};
}

WallTime wallTime(std::int64_t unixMs)
{
	return unixMs > 0 ? WallTime(milliseconds(unixMs)) : WallTime{};
}

} // namespace

Moment machineNow()
{
	return {Instant(sinceBoot()), WallTime(milliseconds(unixMsNow()))};
}

Runner::Runner(Settings settings, registry::Registry& registry, std::shared_ptr<observe::EventSink> sink,
	const OpenDirectory& open)
	: _settings(std::move(settings)), _registry(registry), _sink(std::move(sink)), _plan(_settings.plan, lastRing()),
	  _directory(open([this](Fact fact) { hear(std::move(fact)); }))
{
}

Runner::~Runner()
{
	close();
}

void Runner::begin()
{
	{
		const std::lock_guard lock(_planMutex);
		_plan.configure(_settings.now(), _registry.shared());
		_directory->join(self(_plan.member()), _plan.lists());
	}
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this] { run(); });
}

void Runner::configure()
{
	const std::lock_guard lock(_newsMutex);
	_configure = true;
	_changed.notify_all();
}

void Runner::close()
{
	{
		const std::lock_guard lock(_newsMutex);
		_closed = true;
		_changed.notify_all();
	}
	if (_thread.joinable()) {
		_thread.join();
	}
}

void Runner::lastState(const std::string& issuer, const std::string& plugin, std::string text)
{
	{
		const std::lock_guard lock(_newsMutex);
		if (!_closed) {
			return; // it was removed by a reload
		}
	}
	State state{{issuer, {}}, {}, {}, ISSUER_STATE_STARTING, plugin, std::move(text)};
	{
		const std::lock_guard lock(_planMutex);
		if (!_plan.whyKept(issuer)) {
			return;
		}
		state.name.member = _plan.member();
		if (const auto told = _told.find(issuer); told != _told.end()) {
			state.state = told->second.state;
			state.end = told->second.end;
			state.next = told->second.next;
		}
	}
	const std::lock_guard lock(_newsMutex);
	_lastStates.push_back(std::move(state));
}

void Runner::leave(milliseconds limit)
{
	close();
	std::vector<State> states;
	{
		const std::lock_guard lock(_newsMutex);
		states.swap(_lastStates);
	}
	if (!states.empty()) {
		_directory->write(std::move(states));
	}
	_directory->leave(limit);
}

void Runner::hear(Fact fact)
{
	const std::lock_guard lock(_newsMutex);
	_facts.push_back(std::move(fact));
	_changed.notify_all();
}

void Runner::wake(std::string_view issuer)
{
	const std::lock_guard lock(_newsMutex);
	if (!_dirty.contains(issuer)) {
		_dirty.emplace(issuer);
		_changed.notify_all();
	}
}

void Runner::event(std::string_view issuer, const issuer_event& /*event*/)
{
	wake(issuer);
}

void Runner::log(std::string_view, issuer_log_level, std::string_view, std::string_view) {}

void Runner::notice(const observe::Notice& notice)
{
	if (notice.action == Action::started || notice.action == Action::swapped) {
		wake(notice.issuer);
	}
}

void Runner::run()
{
	while (true) {
		step();
		Instant next;
		{
			const std::lock_guard lock(_planMutex);
			next = _plan.next();
		}
		std::unique_lock lock(_newsMutex);
		const auto pause = std::clamp<milliseconds>(next - _settings.now().boot, milliseconds(1), milliseconds(1000));
		_changed.wait_for(lock, pause, [this] { return _closed || _configure || !_facts.empty() || !_dirty.empty(); });
		if (_closed) {
			return;
		}
	}
}

/// Takes all that has happened, and carries out what follows from it.
void Runner::step()
{
	std::vector<Fact> facts;
	std::set<std::string, std::less<>> dirty;
	bool configure = false;
	{
		const std::lock_guard lock(_newsMutex);
		facts.swap(_facts);
		dirty.swap(_dirty);
		configure = std::exchange(_configure, false);
	}
	const auto shared = configure ? _registry.shared() : std::vector<std::string>();
	std::for_each(shared.begin(), shared.end(), [this](const std::string& issuer) { letGoOfOwn(issuer); });
	std::for_each(dirty.begin(), dirty.end(), [this](const std::string& issuer) { tell(issuer); });
	const auto now = _settings.now();
	Actions actions;
	{
		const std::lock_guard lock(_planMutex);
		if (configure) {
			_plan.configure(now, shared);
		}
		for (const auto& fact : facts) {
			note(fact);
			_plan.heard(now, fact);
		}
		actions = _plan.due(now);
	}
	carryOut(std::move(actions));
	sendPulse(now.boot);
}

/// Lets a shared issuer go that runs without the plan, as this host's own until now.
void Runner::letGoOfOwn(const std::string& issuer)
{
	{
		const std::lock_guard lock(_planMutex);
		if (_plan.whyKept(issuer)) {
			return;
		}
	}
	_registry.letGo(issuer);
}

/// Tells the plan the state of an issuer that runs here.
void Runner::tell(const std::string& issuer)
{
	const auto status = _registry.status(issuer);
	if (!status || status->phase != observe::Phase::running) {
		return;
	}
	Told told{issuer, ISSUER_STATE_STARTING, {}, {}};
	if (status->health) {
		told.state = status->health->state;
		told.end = wallTime(status->health->expires_unix_ms);
		told.next = wallTime(status->health->next_unix_ms);
	}
	const std::lock_guard lock(_planMutex);
	_told.insert_or_assign(issuer, told);
	_plan.told(told);
}

/// Remembers the members for status, which the plan does not show.
void Runner::note(const Fact& fact)
{
	const auto put = [this](const Member& member) {
		auto& known = _members[member.record.name];
		known.name = member.record.name;
		known.url = member.record.url;
		known.version = member.record.version;
		known.shards = member.record.kept.count();
	};
	if (const auto* listed = std::get_if<MembersListed>(&fact)) {
		_members.clear();
		std::for_each(listed->members.begin(), listed->members.end(), put);
	}
	else if (const auto* came = std::get_if<MemberPut>(&fact)) {
		put(came->member);
	}
	else if (const auto* gone = std::get_if<MemberGone>(&fact)) {
		_members.erase(gone->name);
	}
	else if (std::holds_alternative<Joined>(fact)) {
		_pulse.clear(); // it went with the old lease
	}
}

void Runner::carryOut(Actions actions)
{
	for (auto& action : actions) {
		std::visit([this](auto& one) { carryOut(one); }, action);
	}
}

void Runner::carryOut(Begin& action)
{
	{
		const std::lock_guard lock(_planMutex);
		++_begun[action.why];
	}
	_registry.keep(
		action.issuer, action.state ? std::optional(std::move(action.state->text)) : std::optional<std::string>());
}

void Runner::carryOut(const LetGo& action)
{
	{
		const std::lock_guard lock(_planMutex);
		_told.erase(action.issuer);
	}
	_registry.letGo(action.issuer);
}

void Runner::carryOut(WriteStates& action)
{
	for (auto& state : action.states) {
		if (auto known = _registry.state(state.name.issuer)) {
			state.text = std::move(known->first);
			state.plugin = std::move(known->second);
		}
	}
	{
		const std::lock_guard lock(_planMutex);
		_stateWrites += action.states.size();
	}
	_directory->write(std::move(action.states));
}

void Runner::carryOut(const SetRecord& action)
{
	_directory->setRecord(action.kept, action.lists);
}

void Runner::carryOut(ReadStates& action)
{
	_directory->read(std::move(action.shards));
}

void Runner::carryOut(DeleteStates& action)
{
	_directory->remove(std::move(action.names));
}

void Runner::carryOut(const JoinAs& action)
{
	const std::lock_guard lock(_planMutex);
	_directory->join(self(action.member), _plan.lists());
}

void Runner::carryOut(const SaveRing& action)
{
	if (_settings.ringFile.empty()) {
		return;
	}
	const auto fresh = std::filesystem::path(_settings.ringFile).concat(".new");
	std::error_code failed;
	{
		std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
		file << action.text;
		file.close();
		if (!file) {
			failed = std::make_error_code(std::errc::io_error);
		}
	}
	if (!failed) {
		std::filesystem::rename(fresh, _settings.ringFile, failed);
	}
	if (failed) {
		say(ISSUER_LOG_WARN,
			"cannot write " + _settings.ringFile.string() +
				", so a start of this host while etcd is away will not know its fleet: " + failed.message());
	}
}

void Runner::carryOut(const Tell& action)
{
	say(action.level, action.text);
}

void Runner::sendPulse(Instant now)
{
	if (now - _pulsed < _settings.pulsePause) {
		return;
	}
	_pulsed = now;
	auto pulse = _settings.pulse();
	if (pulse != _pulse) {
		_directory->pulse(pulse);
		_pulse = std::move(pulse);
	}
}

Directory::Self Runner::self(const std::string& member) const
{
	return {member, _settings.plan.run, _settings.url, _settings.version};
}

std::optional<std::vector<std::string>> Runner::lastRing() const
{
	std::ifstream file(_settings.ringFile, std::ios::binary);
	if (_settings.ringFile.empty() || !file) {
		return std::nullopt;
	}
	const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
	auto ring = ringFrom(text);
	if (!ring) {
		say(ISSUER_LOG_WARN, _settings.ringFile.string() + " is left unread: " + ring.error().text);
		return std::nullopt;
	}
	return std::move(*ring);
}

void Runner::say(issuer_log_level level, const std::string& text) const
{
	_sink->notice({Action::fleet, level, {}, text});
}

observe::FleetStatus Runner::status() const
{
	const auto now = _settings.now();
	const std::lock_guard lock(_planMutex);
	const auto outlook = _plan.outlook(now);
	observe::FleetStatus status;
	status.fleet = _settings.fleet;
	status.member = outlook.member;
	status.joined = outlook.joined;
	status.settled = outlook.settled;
	status.engineUp = outlook.engineAnswers;
	status.writesRefused = outlook.writesRefused;
	if (outlook.lastAnswer) {
		status.secondsSinceAnswer =
			std::chrono::duration_cast<std::chrono::seconds>(now.boot - *outlook.lastAnswer).count();
	}
	for (const auto& [name, member] : _members) {
		status.members.push_back(member);
		if (const auto ahead = _plan.clockOf(name)) {
			status.members.back().clockAheadMs = ahead->count();
		}
	}
	for (Shard shard = 0; shard < shardCount; ++shard) {
		if (const auto rank = _plan.ring().rankOf(outlook.member, shard); rank && *rank <= 3) {
			++status.shardsByRank[static_cast<int>(*rank)];
		}
	}
	status.kept = outlook.kept;
	status.watchedOver = outlook.watchedOver;
	status.late = outlook.late;
	status.unkept = outlook.unkept;
	for (const auto& [why, count] : _begun) {
		status.takeovers[reasonName(why)] = count;
	}
	status.stateWrites = _stateWrites;
	return status;
}

std::string Runner::keeperOf(const std::string& issuer) const
{
	const std::lock_guard lock(_planMutex);
	return _plan.keeperOf(issuer);
}

void Runner::readPulses(std::function<void(Directory::Pulses)> take)
{
	_directory->readPulses(std::move(take));
}

} // namespace issuer::fleet
