#include "fleet/lateness.h"
#include "fleet/plan.h"

#include <algorithm>
#include <string>
#include <utility>

/// Rule 2: begin as first. Rule 7: begin without the engine.
namespace issuer::fleet {

// The states of a shard have just been read. Issuers that are watched over already run, and are kept from now on.
void Plan::beginAsFirst(Moment now, ShardRecord& shard)
{
	if (!wantsToBegin(shard)) {
		return;
	}
	for (auto& issuer : shard.issuers) {
		if (issuer.role == Role::none) {
			begin(issuer, Role::keeper, Why::first, newestOf(shard.seen, issuer.name));
		}
		issuer.role = Role::keeper;
	}
	shard.tidy = now.boot + _settings.takeover;
}

bool Plan::wantsToBegin(const ShardRecord& shard) const
{
	return shard.rank == 1 &&
		   std::ranges::any_of(shard.issuers, [](const auto& issuer) { return issuer.role != Role::keeper; });
}

// The engine gets 3 T to answer. Then the members that were last seen count, and the first three of a shard all begin
// it: two of them may not be there. A host that has never seen a fleet begins everything, if that is little enough for
// the server: any other host may do the same.
void Plan::beginWithoutEngine(Moment now)
{
	if (_engine.hasListed() || !_started || now.boot < *_started + 3 * _settings.takeover) {
		return;
	}
	if (_lastRing && _members.ring().size() == 1) {
		_members.remembered(*_lastRing);
		membersChanged();
	}
	std::size_t issuers = 0;
	for (const auto& [number, shard] : _shards) {
		issuers += shard.issuers.size();
	}
	if (!_lastRing && issuers > _settings.issuersWithoutRing) {
		if (!std::exchange(_toldOfNoRing, true)) {
			tell(ISSUER_LOG_ERROR,
				"no issuer is begun: the fleet's engine does not answer, no members were stored by an "
				"earlier run, and " +
					std::to_string(issuers) + " issuers are too many to begin all of them");
		}
		return;
	}
	_begunWithoutEngine = true;
	for (auto& [number, shard] : _shards) {
		for (auto& issuer : shard.issuers) {
			if (issuer.role == Role::none && (!_lastRing || shard.rank <= 3)) {
				begin(issuer, Role::keeper, Why::withoutEngine, nullptr);
			}
		}
	}
}

void Plan::begin(IssuerRecord& issuer, Role role, Why why, const State* state)
{
	issuer.role = role;
	issuer.why = why;
	issuer.own.reset();
	issuer.due = state && canBeRenewed(*state) ? state->next : WallTime{};
	issuer.untoldSince.reset();
	_actions.emplace_back(
		Begin{issuer.name, state && canBeImported(*state) ? std::optional(*state) : std::nullopt, why});
}

// A plugin reads the times in its text by this host's clock. Where the writer's is ahead, the token would seem to live
// longer than it does: by more than R/8, and a look-up is the safer way.
bool Plan::canBeImported(const State& state) const
{
	const auto ahead =
		state.name.member == member() ? milliseconds{} : _members.ahead(state.name.member).value_or(milliseconds{});
	return ahead <= std::max(Members::tolerated, reserveOf(state) / 8);
}

} // namespace issuer::fleet
