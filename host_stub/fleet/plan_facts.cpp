#include "fleet/plan.h"
#include "fleet/ring_text.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The facts that the engine tells. Rule 1: join.
namespace issuer::fleet {

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
	std::erase_if(_strangers, [this](const auto& one) { return _members.ring().has(one.first); });
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
	_strangers.erase(name);
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

} // namespace issuer::fleet
