#include "fleet_world.h"

#include "fleet/ring.h"

#include <algorithm>
#include <ostream>
#include <utility>

namespace issuer::fleets {

using namespace std::chrono_literals;

namespace {

constexpr unsigned mostIssuers = 16;

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
	case Mishap::linkCut:
		return "is cut from a node of the engine";
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

bool World::isCut(unsigned machine, unsigned node, Instant now) const
{
	return std::ranges::any_of(misfortunes, [=](const Misfortune& one) {
		const bool cuts = one.mishap == Mishap::cutFromEngine || (one.mishap == Mishap::linkCut && one.node == node);
		return cuts && one.who == machine && one.from <= now && now < one.until;
	});
}

std::size_t World::mishapsIn(Instant from, Instant until) const
{
	return static_cast<std::size_t>(std::ranges::count_if(
		misfortunes, [=](const Misfortune& one) { return one.from < until && from <= one.until; }));
}

milliseconds World::unseenDifference() const
{
	const auto [least, most] = std::ranges::minmax(machines, {}, &Machine::ahead);
	return std::min<milliseconds>(most.ahead - least.ahead, 61s);
}

std::string World::nameOf(unsigned issuer) const
{
	// The names whose shards are those of issuer-0, issuer-3, ...
	static const auto shared = [] {
		std::vector<std::string> names;
		for (unsigned number = 0; number < mostIssuers; ++number) {
			const auto shard = fleet::shardOf("issuer-" + std::to_string(number / 3 * 3));
			auto name = "issuer-" + std::to_string(number);
			for (unsigned salt = 0; fleet::shardOf(name) != shard; ++salt) {
				name = "issuer-" + std::to_string(number) + '-' + std::to_string(salt);
			}
			names.push_back(std::move(name));
		}
		return names;
	}();
	return sharesShards ? shared.at(issuer) : "issuer-" + std::to_string(issuer);
}

unsigned issuerOf(const std::string& name)
{
	return static_cast<unsigned>(std::stoul(name.substr(name.find('-') + 1)));
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
