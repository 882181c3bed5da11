#include "comparison.h"

#include "campaign.h"
#include "keeper_renewer.h"
#include "lifetime_watcher_rules.h"
#include "lost_in_vain.h"
#include "original_rules.h"
#include "runs.h"
#include "world_player.h"
#include "worlds.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>

namespace issuer::simulation {

namespace {

using namespace std::chrono_literals;

enum Who : std::size_t
{
	ours,
	original,
	watcher,
	renewers,
};

constexpr std::array<std::string_view, renewers> names{
	"Issuer Lifecycle", "the original's rules", "LifetimeWatcher's rules"};

/// The results of one renewer, over many worlds.
struct Fare
{
	std::uint64_t lives;     ///< watched: each credential, and each begin, is one
	std::uint64_t lost;      ///< of them, in vain
	std::uint64_t longLives; ///< of them, with leases of a minute and more
	std::uint64_t longLost;
	std::uint64_t outages;  ///< worlds with one
	std::uint64_t requests; ///< during outages
	std::uint64_t mostRequests;
	std::uint64_t walls;  ///< lives that ended at their max TTL
	double unused;        ///< leases given up before that, in all
	std::uint64_t warned; ///< ends at a max TTL that were announced at all
	double hoursOfWarning;
};

using Fares = std::array<Fare, renewers>;

bool endedAtWall(const Death& death)
{
	return death.renewable && !death.killed && !death.wallMoved && death.maxTtlEnd && death.at > *death.maxTtlEnd - 1s;
}

void add(Fare& fare, const World& world, const Chronicle& chronicle)
{
	const bool isLong = world.token.lease >= 1min;
	for (const auto& death : chronicle.deaths) {
		const bool known = death.watchedSince < death.at;
		if (known && lostInVain(world, chronicle, death)) {
			++fare.lost;
			fare.longLost += isLong ? 1U : 0U;
		}
		if (known && endedAtWall(death)) {
			++fare.walls;
			if (death.gaveUp && *death.gaveUp < death.at) {
				fare.unused += static_cast<double>((death.at - *death.gaveUp).count()) /
							   static_cast<double>(Duration(world.token.lease).count());
			}
			if (death.warned && *death.warned < death.at) {
				++fare.warned;
				fare.hoursOfWarning +=
					std::chrono::duration<double, std::ratio<3600>>(death.at - *death.warned).count();
			}
		}
	}
	std::uint64_t requests = 0;
	for (const auto& exchange : chronicle.exchanges) {
		requests += exchange.duringOutage && exchange.tokenAlive ? 1U : 0U;
	}
	fare.outages += chronicle.troubles.empty() ? 0U : 1U;
	fare.requests += requests;
	fare.mostRequests = std::max(fare.mostRequests, requests);
}

void add(Fare& sum, const Fare& share)
{
	sum.lives += share.lives;
	sum.lost += share.lost;
	sum.longLives += share.longLives;
	sum.longLost += share.longLost;
	sum.outages += share.outages;
	sum.requests += share.requests;
	sum.mostRequests = std::max(sum.mostRequests, share.mostRequests);
	sum.walls += share.walls;
	sum.unused += share.unused;
	sum.warned += share.warned;
	sum.hoursOfWarning += share.hoursOfWarning;
}

Chronicle playAs(Who who, const World& world)
{
	switch (who) {
	case original: {
		OriginalRules rules;
		return WorldPlayer(world, rules).play();
	}
	case watcher: {
		LifetimeWatcherRules rules(world.dice);
		return WorldPlayer(world, rules).play();
	}
	case ours:
	case renewers:
		break;
	}
	return play(world);
}

std::string share(std::uint64_t part, std::uint64_t whole)
{
	std::ostringstream text;
	text << part << " of " << whole;
	if (part > 0 && whole > 0) {
		text << " (" << std::setprecision(2) << 100.0 * static_cast<double>(part) / static_cast<double>(whole) << " %)";
	}
	return text.str();
}

std::string mean(double sum, std::uint64_t count, const char* unit)
{
	if (count == 0) {
		return "none";
	}
	std::ostringstream text;
	text << std::setprecision(3) << sum / static_cast<double>(count) << unit;
	return text.str();
}

} // namespace

void compare(std::ostream& out, std::uint64_t run, std::uint64_t worlds, unsigned workers)
{
	const auto work = [&](std::uint64_t index, Fares& fares) {
		const auto world = worldOf(seedOf(run, index)).value();
		for (const auto who : {ours, original, watcher}) {
			const auto chronicle = playAs(who, world);
			add(fares[who], world, chronicle);
			const auto lives = static_cast<std::uint64_t>(chronicle.lives) + 1;
			fares[who].lives += lives;
			fares[who].longLives += world.token.lease >= 1min ? lives : 0U;
		}
		return true;
	};
	Fares sum{};
	shareOut<Fares>(worlds, workers, work, [&](const Fares& share) {
		for (std::size_t who = 0; who < renewers; ++who) {
			add(sum[who], share[who]);
		}
	});
	out << lostInVainMeans << "\n\n";
	out << "| " << worlds
		<< " worlds | tokens lost in vain | with leases of 1 min and more | requests to a server that is away, a world "
		<< "| most in one | at the max TTL: life unused | announced | hours before "
		   "|\n|---|---|---|---|---|---|---|---|\n";
	for (std::size_t who = 0; who < renewers; ++who) {
		const auto& fare = sum[who];
		out << "| " << names[who] << " | " << share(fare.lost, fare.lives) << " | "
			<< share(fare.longLost, fare.longLives) << " | "
			<< mean(static_cast<double>(fare.requests), fare.outages, "") << " | " << fare.mostRequests << " | "
			<< mean(100 * fare.unused, fare.walls, " % of a lease") << " | " << share(fare.warned, fare.walls) << " | "
			<< mean(fare.hoursOfWarning, fare.walls, "") << " |\n";
	}
	out << "\nThe LifetimeWatcher ends without a reason: that it ends is counted as its announcement.\n";
}

} // namespace issuer::simulation
