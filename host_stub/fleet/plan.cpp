#include "fleet/plan.h"

#include "fleet/lateness.h"
#include "fleet/lists.h"
#include "fleet/ring_text.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

namespace issuer::fleet {

Plan::Plan(Settings settings, std::optional<std::vector<std::string>> lastRing)
	: _settings(std::move(settings)), _lastRing(std::move(lastRing)), _members(_settings.member)
{
}

void Plan::configure(Moment now, const std::vector<std::string>& issuers)
{
	auto before = std::exchange(_shards, {});
	for (const auto& name : issuers) {
		const auto number = shardOf(name);
		auto& issuer = _shards[number].issuers.emplace_back(IssuerRecord{.name = name});
		if (auto* known = before.contains(number) ? before[number].find(name) : nullptr) {
			issuer = *known;
			known->stopped();
		}
	}
	for (auto& [number, old] : before) {
		const bool leaves = old.runsAny();
		old.tidy = leaves ? now.boot + _settings.takeover : old.tidy;
		if (_shards.contains(number) || old.tidy) {
			old.issuers = std::move(_shards[number].issuers);
			_shards[number] = std::move(old);
		}
	}
	for (auto& [number, shard] : _shards) {
		shard.number = number;
		shard.rank = _members.rank(number);
		std::ranges::sort(shard.issuers, {}, &IssuerRecord::name);
	}
	_lists = digestsOf(issuers);
	_started = _started.value_or(now.boot);
	_changed = true;
}

void Plan::adopt(std::string_view issuer)
{
	if (auto* record = find(issuer)) {
		record->role = Role::keeper;
	}
}

void Plan::heard(Moment now, const Fact& fact)
{
	std::visit([&](const auto& one) { hear(now, one); }, fact);
	_changed = true;
}

// A new lease may be one of a new engine, wiped or restored from a backup: everything is given to it again.
void Plan::hear(Moment now, const Joined&)
{
	// An earlier process may have left states under this name: they are looked for once.
	const bool isFirst = !std::exchange(_hasJoined, true);
	_engine.joined(now.boot);
	_record.reset();
	for (auto& [number, shard] : _shards) {
		shard.tidy = isFirst ? now.boot + _settings.takeover : shard.tidy;
		shard.reading = false;
		shard.look.reset();
		for (auto& issuer : shard.issuers) {
			issuer.unwritten = issuer.own.has_value();
		}
	}
}

// The issuers that run here go on; the Directory joins again.
void Plan::hear(Moment, const LeaseLost&)
{
	_engine.leaseLost();
	tell(ISSUER_LOG_WARN, "the fleet's engine ended this host's lease: joining again; what runs here goes on");
}

void Plan::hear(Moment, const Answered& fact)
{
	if (_engine.isAway()) {
		tell(ISSUER_LOG_INFO, "the fleet's engine answers again");
		for (auto& [number, shard] : _shards) {
			shard.look.reset();
		}
	}
	_engine.answered(fact.asked);
}

void Plan::hear(Moment, const Away& fact)
{
	if (!_engine.isAway()) {
		tell(ISSUER_LOG_ERROR, "the fleet's engine is away (" + fact.why + "): nothing changes hands until it answers");
	}
	_engine.away();
}

void Plan::hear(Moment, const WritesRefused& fact)
{
	if (!_engine.refusesWrites()) {
		tell(ISSUER_LOG_ERROR, "the fleet's engine refuses writes (" + fact.why +
								   "): the others cannot see what this host renews; free space there, or permit them");
	}
	_engine.refuses(true);
}

void Plan::hear(Moment, const WritesAccepted&)
{
	_engine.refuses(false);
	tell(ISSUER_LOG_INFO, "the fleet's engine accepts writes again");
}

void Plan::hear(Moment now, const MembersListed& fact)
{
	_engine.listed();
	const auto before = _members.ring().members();
	_members.listed(now.wall, fact.members);
	if (_members.ring().members() != before || !_lastRing) {
		membersChanged();
	}
	tell(ISSUER_LOG_INFO, "fleet of " + std::to_string(_members.ring().size()) + " members");
}

void Plan::hear(Moment now, const MemberPut& fact)
{
	const auto& name = fact.member.record.name;
	const bool isNew = !_members.ring().has(name);
	_members.put(now.wall, fact.member);
	if (isNew) {
		membersChanged();
		tell(ISSUER_LOG_INFO, name + " joined the fleet");
	}
	const auto ahead = _members.ahead(name).value_or(milliseconds{});
	if (name != member() && std::chrono::abs(ahead) > Members::tolerated) {
		if (_warnedClocks.insert(name).second) {
			tell(ISSUER_LOG_WARN, "the clocks of this host and of " + name + " differ by " +
									  std::to_string(std::chrono::abs(ahead).count()) +
									  " ms: synchronize them, for members tell each other times");
		}
	}
	else {
		_warnedClocks.erase(name);
	}
}

void Plan::hear(Moment, const MemberGone& fact)
{
	if (fact.name != member() && _members.ring().has(fact.name)) {
		_members.gone(fact.name);
		membersChanged();
		tell(ISSUER_LOG_WARN, fact.name + " left the fleet");
	}
}

void Plan::hear(Moment now, const StatesRead& fact)
{
	std::map<Shard, std::vector<State>> states;
	for (const auto& state : fact.states) {
		states[shardOf(state.name.issuer)].push_back(_members.translated(state));
	}
	const bool serverAway = serverSeemsAway();
	for (const auto number : fact.shards) {
		const auto found = _shards.find(number);
		if (found == _shards.end()) {
			continue;
		}
		auto& shard = found->second;
		shard.reading = false;
		shard.pause.reset();
		shard.seen = std::move(states[number]);
		if (_engine.isTrusted()) {
			tidy(now, shard);
			endWatches(now, shard);
			beginAsFirst(now, shard);
			watchOver(now, shard, serverAway);
		}
	}
}

void Plan::hear(Moment now, const ReadFailed& fact)
{
	for (const auto number : fact.shards) {
		if (const auto found = _shards.find(number); found != _shards.end()) {
			found->second.reading = false;
			found->second.pause = now.boot + _settings.takeover / 5;
		}
	}
}

// Rule 1: a name is one process's. The one that came later keeps it, since the other may be gone for good.
void Plan::hear(Moment, const NameTaken& fact)
{
	const auto name = _settings.member + "~" + _settings.run.substr(0, 4);
	tell(ISSUER_LOG_ERROR, "another process has joined the fleet as " + member() + ", from " +
							   (fact.by.url.empty() ? "an unknown place" : fact.by.url) + ": this one goes on as " +
							   name + "; give each host its own fleet.member");
	_members.rename(name);
	membersChanged();
	for (auto& [number, shard] : _shards) {
		for (auto& issuer : shard.issuers) {
			if (issuer.own) {
				issuer.own->name.member = name;
			}
		}
	}
	_engine.leaseLost();
	_actions.emplace_back(JoinAs{name});
}

void Plan::membersChanged()
{
	for (auto& [number, shard] : _shards) {
		if (const auto rank = _members.rank(number); rank != shard.rank) {
			shard.rank = rank;
			shard.look.reset();
		}
	}
	_actions.emplace_back(SaveRing{ringText(_members.ring().members())});
}

void Plan::told(const Told& told)
{
	auto* issuer = find(told.issuer);
	if (!issuer || issuer->role == Role::none) {
		return;
	}
	// While renewals fail the time of the next try moves on; the time at which the renewal was due does not.
	if (told.state != ISSUER_STATE_RETRYING || issuer->due == WallTime{}) {
		issuer->due = told.next;
	}
	State own{.name = {told.issuer, member()}, .end = told.end, .next = issuer->due, .state = told.state};
	if (issuer->own != own) {
		issuer->own = std::move(own);
		issuer->unwritten = true;
		_changed = true;
	}
}

Actions Plan::due(Moment now)
{
	// Rule 3: while this process stood still its lease may have ended, and others may have begun what it keeps.
	if (_lastDue && now.boot - *_lastDue > _settings.takeover / 2) {
		_engine.paused(now.boot);
	}
	_lastDue = now.boot;
	beginWithoutEngine(now);
	if (std::exchange(_changed, false)) {
		letGoOfKept(now);
	}
	read(now);
	watchWithoutEngine(now);
	writeStates();
	setRecord();
	if (!_unneeded.empty()) {
		_actions.emplace_back(DeleteStates{std::exchange(_unneeded, {})});
	}
	tellBegun();
	tellWatches();
	return std::exchange(_actions, {});
}

Instant Plan::next() const
{
	const auto last = _lastDue.value_or(Instant{});
	auto at = last + _settings.takeover / 5;
	for (const auto& [number, shard] : _shards) {
		for (const auto& time : {shard.look, shard.tidy, shard.pause}) {
			at = time && *time > last ? std::min(at, *time) : at;
		}
	}
	return at;
}

void Plan::writeStates()
{
	if (!_engine.isJoined()) {
		return;
	}
	WriteStates write;
	for (auto& [number, shard] : _shards) {
		for (auto& issuer : shard.issuers) {
			if (std::exchange(issuer.unwritten, false)) {
				write.states.push_back(*issuer.own);
			}
		}
	}
	if (!write.states.empty()) {
		_actions.emplace_back(std::move(write));
	}
}

// Rule 2: the bit of a shard says that the state of each of its issuers is written, so it comes after these states.
// The list comes with it, since the bit is about that list.
void Plan::setRecord()
{
	if (!_engine.isJoined()) {
		return;
	}
	SetRecord record{{}, _lists};
	for (const auto& [number, shard] : _shards) {
		record.kept[number] = !shard.issuers.empty() && std::ranges::all_of(shard.issuers, [](const auto& issuer) {
			return issuer.role == Role::keeper && issuer.own;
		});
	}
	if (!_record || _record->kept != record.kept || _record->lists != record.lists) {
		_record = record;
		_actions.emplace_back(record);
	}
}

IssuerRecord* Plan::find(std::string_view issuer)
{
	const auto found = _shards.find(shardOf(issuer));
	return found == _shards.end() ? nullptr : found->second.find(issuer);
}

const IssuerRecord* Plan::find(std::string_view issuer) const
{
	const auto found = _shards.find(shardOf(issuer));
	return found == _shards.end() ? nullptr : found->second.find(issuer);
}

std::optional<Why> Plan::whyKept(std::string_view issuer) const
{
	const auto* found = find(issuer);
	return found && found->role != Role::none ? std::optional(found->why) : std::nullopt;
}

std::string Plan::keeperOf(std::string_view issuer) const
{
	return _members.first(shardOf(issuer));
}

Outlook Plan::outlook(Moment now) const
{
	constexpr std::size_t named = 10;
	Outlook outlook{.member = member(),
		.joined = _engine.isJoined(),
		.engineAnswers = !_engine.isAway() && _engine.lastAnswer(),
		.writesRefused = _engine.refusesWrites(),
		.settled = _hasJoined || _begunWithoutEngine,
		.lastAnswer = _engine.lastAnswer()};
	for (const auto& [number, shard] : _shards) {
		for (const auto& issuer : shard.issuers) {
			outlook.kept += issuer.role == Role::keeper ? 1U : 0U;
			outlook.watchedOver += issuer.role == Role::watcher ? 1U : 0U;
			if (issuer.role == Role::none) {
				const auto* newest = newestOf(shard.seen, issuer.name);
				outlook.late += newest && latenessOf(*newest, now.wall) != Lateness::none ? 1U : 0U;
				if (issuer.untoldSince && outlook.unkept.size() < named) {
					outlook.unkept.push_back(issuer.name);
				}
			}
		}
	}
	return outlook;
}

} // namespace issuer::fleet
