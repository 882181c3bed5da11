#include "fleet/plan.h"

#include "fleet/lateness.h"
#include "fleet/lists.h"

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
	std::map<Shard, std::size_t> known; // number of issuers that were there before
	for (const auto& name : issuers) {
		const auto number = shardOf(name);
		auto& issuer = _shards[number].issuers.emplace_back(IssuerRecord{.name = name});
		if (auto* same = before.contains(number) ? before[number].find(name) : nullptr) {
			issuer = *same;
			same->stopped();
			++known[number];
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
		// A new issuer, of which no state may tell, does not wait for the next look at the others of its shard.
		if (shard.issuers.size() > known[number]) {
			shard.look.reset();
		}
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
	ShardSet kept;
	for (const auto& [number, shard] : _shards) {
		kept[number] = !shard.issuers.empty() && std::ranges::all_of(shard.issuers, [](const auto& issuer) {
			return issuer.role == Role::keeper && issuer.own;
		});
	}
	if (!_record || _record->kept != kept || _record->lists != _lists) {
		_record = SetRecord{kept, _lists};
		_actions.emplace_back(*_record);
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
