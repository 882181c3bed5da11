#include "fleet/lateness.h"
#include "fleet/plan.h"

#include <algorithm>

/// Rule 4: watch over the issuers that others keep. Rule 5: the part of it that goes on while the engine is away.
namespace issuer::fleet {

// A member with another list may not know an issuer that this host has. So the third is any that has fewer than three
// better ones with the same list.
// While the engine is away, or takes no states, all states look late: then the second alone acts.
Plan::Watch Plan::watchOf(const ShardRecord& shard) const
{
	if (_engine.isAway()) {
		return shard.rank <= 2 ? Watch::second : Watch::none;
	}
	if (shard.rank <= 1 || !_engine.isTrusted()) {
		return Watch::none;
	}
	if (shard.rank == 2) {
		return Watch::second;
	}
	const bool isThird = _members.betterWithSameList(shard.number, _lists) <= 2;
	return isThird && !_engine.refusesWrites() ? Watch::third : Watch::none;
}

// An issuer of which no state tells is looked at more often: its time is k T, however long its lease may be. Of two
// states the worse one counts as well: its writer may come back and write a better one.
milliseconds Plan::pauseBetweenLooks(const ShardRecord& shard) const
{
	constexpr milliseconds shortest{1'000};
	constexpr milliseconds longest{600'000};
	auto pause = longest;
	const int part = watchOf(shard) == Watch::second ? 8 : 4;
	const auto consider = [&](const State& state) {
		pause = reserveOf(state) > milliseconds{} ? std::min(pause, reserveOf(state) / part) : pause;
	};
	for (const auto& issuer : shard.issuers) {
		if (!newestOf(shard.seen, issuer.name)) {
			pause = std::min(pause, _settings.takeover / 2);
		}
		if (issuer.own) {
			consider(*issuer.own);
		}
	}
	std::ranges::for_each(shard.seen, consider);
	return std::max(pause, shortest);
}

// One read of a shard serves all that is due there.
void Plan::read(Moment now)
{
	if (!_engine.isTrusted()) {
		return;
	}
	ReadStates read;
	for (auto& [number, shard] : _shards) {
		const bool looks = watchOf(shard) != Watch::none || shard.has(Role::watcher);
		shard.look = looks ? std::optional(shard.look.value_or(now.boot)) : std::nullopt;
		if (shard.reading || (shard.pause && now.boot < *shard.pause)) {
			continue;
		}
		if (wantsToBegin(shard) || (looks && *shard.look <= now.boot) || (shard.tidy && *shard.tidy <= now.boot)) {
			shard.reading = true;
			read.shards.push_back(number);
		}
	}
	if (!read.shards.empty()) {
		_actions.emplace_back(std::move(read));
	}
}

// By the states last seen. A start that has seen none is rule 7's.
void Plan::watchWithoutEngine(Moment now)
{
	if (!_engine.isAway() || !_engine.hasListed()) {
		return;
	}
	const bool serverAway = serverSeemsAway();
	for (auto& [number, shard] : _shards) {
		if (now.boot >= shard.look.value_or(now.boot)) {
			watchOver(now, shard, serverAway);
		}
	}
}

void Plan::watchOver(Moment now, ShardRecord& shard, bool serverAway)
{
	const auto watch = watchOf(shard);
	const auto enough = watch == Watch::second ? Lateness::late : Lateness::veryLate;
	for (auto& issuer : shard.issuers) {
		if (issuer.role != Role::none || watch == Watch::none) {
			continue;
		}
		const auto* newest = newestOf(shard.seen, issuer.name);
		if (newest) {
			issuer.untoldSince.reset();
			if (latenessOf(*newest, now.wall) >= enough && !serverAway) {
				begin(issuer, Role::watcher, Why::late, newest);
			}
			continue;
		}
		issuer.untoldSince = issuer.untoldSince.value_or(now.boot);
		const auto patience = _settings.takeover * static_cast<int>(std::max<std::size_t>(shard.rank, 2));
		if (now.boot >= *issuer.untoldSince + patience && !serverAway) {
			begin(issuer, Role::watcher, Why::untold, nullptr);
		}
	}
	shard.look = now.boot + pauseBetweenLooks(shard);
}

// A watch ends when a member of better rank renews, or when both know that renewing does not help any more.
void Plan::endWatches(Moment now, ShardRecord& shard)
{
	for (auto& issuer : shard.issuers) {
		if (issuer.role != Role::watcher) {
			continue;
		}
		const bool isInVain = issuer.own && tells(*issuer.own) && !canBeRenewed(*issuer.own);
		const bool isKept = std::ranges::any_of(shard.seen, [&](const State& state) {
			return state.name.issuer == issuer.name && _members.isBetter(state.name.member, shard.number) &&
				   (isWell(state, now.wall) || (isInVain && tells(state) && !canBeRenewed(state)));
		});
		if (isKept) {
			letGo(now, shard, issuer);
		}
	}
}

// When the server is away for all, no host multiplies the requests.
bool Plan::serverSeemsAway() const
{
	std::size_t running = 0;
	std::size_t failing = 0;
	for (const auto& [number, shard] : _shards) {
		for (const auto& issuer : shard.issuers) {
			if (issuer.own) {
				++running;
				failing +=
					issuer.own->state == ISSUER_STATE_RETRYING || issuer.own->state == ISSUER_STATE_STARTING ? 1U : 0U;
			}
		}
	}
	return running > 0 && failing * 2 >= running;
}

} // namespace issuer::fleet
