#include "fleet_world.h"

#include "login_world.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

namespace issuer::fleets {

namespace {

using namespace std::chrono_literals;
using simulation::Dice;

/// Mishaps of one machine, and those of all.
constexpr std::array ofMachines{Mishap::dies, Mishap::leaves, Mishap::freezes, Mishap::cutFromEngine,
	Mishap::cutFromServer, Mishap::watchSlow, Mishap::leaseRevoked};
constexpr std::array ofAll{Mishap::nodeCut, Mishap::quorumLost, Mishap::wiped, Mishap::full, Mishap::serverAway};

milliseconds length(Dice& dice, milliseconds from, milliseconds to)
{
	return std::chrono::duration_cast<milliseconds>(dice.length(from, std::max(from, to)));
}

milliseconds part(Dice& dice, milliseconds whole)
{
	return milliseconds(std::llround(static_cast<double>(whole.count()) * dice.share()));
}

void addMisfortune(World& world, Dice& dice, Instant earliest, milliseconds span)
{
	const bool all = dice.chance(0.3);
	const auto mishap = all ? ofAll[dice.below(ofAll.size())] : ofMachines[dice.below(ofMachines.size())];
	const auto from = earliest + part(dice, span);
	const auto until = std::min(from + length(dice, world.takeover / 4, 2 * world.lease), world.quietFrom);
	const auto among = mishap == Mishap::nodeCut ? 3 : all ? 1 : world.machines.size();
	world.misfortunes.push_back({mishap, static_cast<unsigned>(dice.below(among)), from, until});
}

} // namespace

std::string_view nameOf(Mishap mishap)
{
	switch (mishap) {
	case Mishap::dies:
		return "dies";
	case Mishap::leaves:
		return "leaves";
	case Mishap::freezes:
		return "freezes";
	case Mishap::cutFromEngine:
		return "is cut from the engine";
	case Mishap::cutFromServer:
		return "is cut from the server";
	case Mishap::watchSlow:
		return "hears late";
	case Mishap::leaseRevoked:
		return "loses its lease";
	case Mishap::newList:
		return "gets the new list";
	case Mishap::nodeCut:
		return "(a node of the engine) is cut off";
	case Mishap::quorumLost:
		return "the engine loses its quorum";
	case Mishap::wiped:
		return "the engine is wiped";
	case Mishap::full:
		return "the engine is full";
	case Mishap::serverAway:
		return "the server is away";
	}
	return "?";
}

World worldOf(std::uint64_t seed)
{
	Dice dice(seed);
	World world;
	world.seed = seed;
	// The promises need R of at least 2 (T + 5 s), and T is at least 2 s.
	do {
		world.lease = length(dice, 30s, 1h);
		world.reserve =
			milliseconds(std::llround(static_cast<double>(world.lease.count()) * (0.1 + 0.8 * dice.share())));
	} while (world.reserve < 14s);
	world.takeover = length(dice, 2s, std::min<milliseconds>(world.reserve / 2 - 5s, 60s));
	world.issuers = static_cast<unsigned>(1 + dice.below(12));
	world.quietFrom = worldBegins + 4 * world.lease;
	const auto settles = world.takeover + world.lease + 10s;
	world.ends = world.quietFrom + settles + world.lease;
	const auto machines = 1 + dice.below(7);
	const bool badClocks = dice.chance(0.3);
	for (std::size_t machine = 0; machine < machines; ++machine) {
		Machine one{
			"host-" + std::to_string(machine), worldBegins + part(dice, dice.chance(0.3) ? world.lease : 200ms)};
		if (badClocks) {
			one.ahead = part(dice, world.reserve / 2) - world.reserve / 4;
			one.drift = (dice.share() - 0.5) * 2e-4;
		}
		world.machines.push_back(one);
	}
	if (dice.chance(0.2)) {
		world.maxTtl = world.lease + part(dice, 3 * world.lease);
	}
	const auto mishaps = dice.chance(0.15) ? 0 : dice.chance(0.5) ? 1 : 1 + dice.below(6);
	for (std::size_t mishap = 0; mishap < mishaps; ++mishap) {
		addMisfortune(world, dice, worldBegins + 10s, world.quietFrom - worldBegins - world.lease - 10s);
	}
	if (dice.chance(0.15)) {
		world.newIssuers = static_cast<unsigned>(1 + dice.below(3));
		for (unsigned machine = 0; machine < machines; ++machine) {
			const auto from = worldBegins + part(dice, 3 * world.lease);
			world.misfortunes.push_back({Mishap::newList, machine, from, from});
		}
	}
	if (dice.chance(0.07)) {
		auto twin = world.machines[dice.below(machines)];
		twin.starts = worldBegins + part(dice, 3 * world.lease);
		world.machines.push_back(twin);
		if (world.newIssuers > 0) {
			world.misfortunes.push_back({Mishap::newList, static_cast<unsigned>(machines), twin.starts, twin.starts});
		}
	}
	std::ranges::sort(world.misfortunes, {}, &Misfortune::from);
	return world;
}

bool World::isFreeOf(std::initializer_list<Mishap> mishaps, unsigned who, Instant from, Instant until) const
{
	return std::ranges::none_of(misfortunes, [&](const Misfortune& one) {
		return one.who == who && one.from < until && from < one.until && std::ranges::count(mishaps, one.mishap) > 0;
	});
}

bool World::isDuring(Mishap mishap, unsigned who, Instant now) const
{
	return !isFreeOf({mishap}, who, now, now + 1ms);
}

bool World::happens(Mishap mishap) const
{
	return std::ranges::any_of(misfortunes, [=](const Misfortune& one) { return one.mishap == mishap; });
}

Instant World::configuredFrom(unsigned machine, unsigned issuer) const
{
	for (const auto& one : misfortunes) {
		if (issuer >= issuers && one.mishap == Mishap::newList && one.who == machine) {
			return one.from;
		}
	}
	return issuer < issuers || newIssuers == 0 ? machines[machine].starts : ends;
}

Instant World::made(unsigned issuer) const
{
	if (issuer < issuers) {
		return worldBegins;
	}
	Instant earliest = ends;
	for (unsigned machine = 0; machine < machines.size(); ++machine) {
		earliest = std::min(earliest, configuredFrom(machine, issuer));
	}
	return earliest;
}

bool World::runs(unsigned machine, unsigned issuer, Instant from, Instant until) const
{
	return std::max(machines[machine].starts, configuredFrom(machine, issuer)) <= from &&
		   isFreeOf({Mishap::dies, Mishap::leaves, Mishap::freezes}, machine, from, until);
}

std::ostream& operator<<(std::ostream& out, const World& world)
{
	const auto seconds = [](auto length) { return static_cast<double>(milliseconds(length).count()) / 1000; };
	out << "world " << world.seed << ": " << world.machines.size() << " machines, " << world.issuers << " issuers";
	if (world.newIssuers > 0) {
		out << " and " << world.newIssuers << " new ones";
	}
	out << ", L " << seconds(world.lease) << " s, R " << seconds(world.reserve) << " s, T " << seconds(world.takeover)
		<< " s";
	if (world.maxTtl > 0ms) {
		out << ", max TTL of the first " << seconds(world.maxTtl) << " s";
	}
	out << ", quiet from " << seconds(world.quietFrom - worldBegins) << " s to " << seconds(world.ends - worldBegins)
		<< " s\n";
	for (std::size_t machine = 0; machine < world.machines.size(); ++machine) {
		const auto& one = world.machines[machine];
		out << "  machine " << machine << ", " << one.name << ", starts at " << seconds(one.starts - worldBegins)
			<< " s, its clock " << seconds(one.ahead) << " s ahead, drifting by " << one.drift * 1e6 << " ppm\n";
	}
	for (const auto& one : world.misfortunes) {
		out << "  " << seconds(one.from - worldBegins) << " s to " << seconds(one.until - worldBegins)
			<< " s: " << one.who << ' ' << nameOf(one.mishap) << '\n';
	}
	return out;
}

} // namespace issuer::fleets
