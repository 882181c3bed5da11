#include "lost_in_vain.h"

#include "reserve.h"

#include <algorithm>
#include <ranges>

namespace issuer::simulation {

namespace {

/// The slowest of the ten latest answers before the death.
Duration slowestAnswer(const Chronicle& chronicle, const Death& death)
{
	Duration slowest{};
	int left = 10;
	for (const auto& exchange : std::views::reverse(chronicle.exchanges)) {
		if (exchange.answered && exchange.ended <= death.told && left-- > 0) {
			slowest = std::max(slowest, exchange.ended - exchange.sent);
		}
	}
	return slowest;
}

} // namespace

bool lostInVain(const World& world, const Chronicle& chronicle, const Death& death)
{
	if (!death.renewable || death.killed || death.shortened) {
		return false;
	}
	// Servers cut both ends of a max TTL to whole seconds: the last one is not worth a loss. Where somebody moved the
	// wall, what the renewer could know of it is another question.
	if (death.wallMoved || (death.wall && death.at > *death.wall - std::chrono::seconds(1))) {
		return false;
	}
	const auto from = death.told - reserveOf(world.network, death.lease, slowestAnswer(chronicle, death)).whole();
	if (death.watchedSince >= from) {
		return false;
	}
	const auto troubled = [&](const Trouble& trouble) { return trouble.from < death.told && trouble.to > from; };
	const auto mischance = [&](const Exchange& exchange) {
		return exchange.mischance && exchange.sent < death.told && exchange.ended > from;
	};
	return std::ranges::none_of(chronicle.troubles, troubled) && std::ranges::none_of(chronicle.exchanges, mischance);
}

} // namespace issuer::simulation
