#include "fleet/lateness.h"
#include "fleet/plan.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

/// Rule 3: let go, and only then remove the states that are not needed any more.
namespace issuer::fleet {

// No host lets go of a token because of a belief: the first says in its record that it keeps the shard, its list is the
// same, and the engine confirms that this record stands. Issuers that are watched over stay: there the first says the
// same, and does not renew.
void Plan::letGoOfKept(Moment now)
{
	if (!_engine.isTrusted()) {
		return;
	}
	for (auto& [number, shard] : _shards) {
		if (shard.rank == 1 || !shard.has(Role::keeper) || !_members.firstKeeps(number, _lists)) {
			continue;
		}
		for (auto& issuer : shard.issuers) {
			if (issuer.role == Role::keeper) {
				letGo(now, shard, issuer);
			}
		}
		shard.look.reset();
	}
}

void Plan::letGo(Moment now, ShardRecord& shard, IssuerRecord& issuer)
{
	_actions.emplace_back(LetGo{issuer.name});
	issuer.stopped();
	shard.tidy = now.boot + _settings.takeover;
}

// A state is deleted once another says at least as much: this host's own where it has let go, by what a living member
// tells; that of a member that is not there any more, by this host's own. So the newest knowledge is never deleted. A
// writer that this host does not know may have joined just now, and the news of it be late.
void Plan::tidy(Moment now, ShardRecord& shard)
{
	bool isDone = true;
	for (const auto& state : shard.seen) {
		const auto* issuer = shard.find(state.name.issuer);
		const bool runsHere = issuer && issuer->role != Role::none;
		const bool isMine = state.name.member == member();
		if (isMine ? runsHere : _members.ring().has(state.name.member)) {
			continue;
		}
		if (!isMine && !isLongGone(now, state.name.member)) {
			isDone = false;
			continue;
		}
		const bool isOver = !tells(state) || (state.state != ISSUER_STATE_NO_EXPIRY && state.end <= now.wall);
		const bool isSurpassed =
			runsHere ? issuer->own && tells(*issuer->own) && !isNewer(state, *issuer->own)
					 : isMine && std::ranges::any_of(shard.seen, [&](const State& other) {
						   return other.name.issuer == state.name.issuer && other.name.member != member() &&
								  _members.ring().has(other.name.member) && tells(other) && !isNewer(state, other);
					   });
		const bool isNobodys = (isMine || (!issuer && shard.rank == 1)) && isOver;
		if (isSurpassed || isNobodys) {
			_unneeded.push_back(state.name);
		}
		else {
			isDone = isDone && !isMine && !runsHere;
		}
	}
	// An earlier read than the one at this time may have overtaken the writes that it is about.
	if (!shard.tidy || *shard.tidy <= now.boot) {
		shard.tidy = isDone ? std::nullopt : std::optional(now.boot + _settings.takeover);
	}
}

// Returns whether a writer of states was no member at any look of the last T and 5 s.
bool Plan::isLongGone(Moment now, const std::string& writer)
{
	constexpr milliseconds newsTake{5'000};
	constexpr std::chrono::hours kept{1};
	if (!_strangers.contains(writer)) {
		std::erase_if(_strangers, [&](const auto& one) { return one.second + kept < now.boot; });
	}
	return now.boot >= _strangers.try_emplace(writer, now.boot).first->second + _settings.takeover + newsTake;
}

} // namespace issuer::fleet
