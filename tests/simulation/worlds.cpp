#include "worlds.h"

#include <rapidcheck.h>

namespace issuer::simulation {

namespace {

using namespace std::chrono_literals;
using rc::gen::inRange;
using rc::gen::map;
using rc::gen::weightedOneOf;

template <class Unit>
rc::Gen<Unit> lengths(std::int64_t from, std::int64_t beyond)
{
	return map(inRange(from, beyond), [](std::int64_t count) { return Unit(count); });
}

rc::Gen<Part> parts(std::int32_t from, std::int32_t beyond)
{
	return map(inRange(from, beyond), [](std::int32_t part) { return Part{part}; });
}

template <class T>
rc::Gen<T> always(T value)
{
	return rc::gen::just(value);
}

rc::Gen<seconds> leases()
{
	return weightedOneOf<seconds>({
		{5, map(inRange(1, 5), [](int count) { return seconds(2 * count); })},
		{6, lengths<seconds>(10, 60)},
		{5, lengths<seconds>(60, 600)},
		{2, lengths<seconds>(600, 7200)},
		{1, always(seconds(24h))},
		{1, always(seconds(768h))},
	});
}

rc::Gen<Kind> kinds()
{
	return rc::gen::weightedElement<Kind>({
		{40, Kind::service},
		{14, Kind::roleService},
		{12, Kind::periodic},
		{6, Kind::rolePeriodic},
		{2, Kind::batch},
		{2, Kind::notRenewable},
		{2, Kind::limitedUses},
		{1, Kind::firstRoot},
		{1, Kind::createdRoot},
	});
}

/// A quarter of the tokens meets a max TTL, within a few leases.
rc::Gen<TokenPlan> tokens()
{
	const auto raw = rc::gen::tuple(kinds(), leases(), weightedOneOf<int>({{3, always(0)}, {1, inRange(50, 600)}}),
		rc::gen::arbitrary<bool>(), inRange(1, 6), weightedOneOf<Part>({{2, always(Part{})}, {3, parts(0, 9'900)}}),
		weightedOneOf<int>({{2, always(0)}, {1, inRange(0, 6)}}), lengths<milliseconds>(0, 1000));
	return map(raw, [](const auto& drawn) {
		TokenPlan plan;
		int maxPercent = 0;
		std::tie(plan.kind, plan.lease, maxPercent, plan.maxTtlShown, plan.uses, plan.spent, plan.renewedBefore,
			plan.issuedAfter) = drawn;
		plan.maxTtl = std::min<seconds>(plan.lease * maxPercent / 100, 768h); // no server goes beyond
		return plan;
	});
}

rc::Gen<Network> networks()
{
	const auto latency = weightedOneOf<milliseconds>({{6, lengths<milliseconds>(0, 20)},
		{3, lengths<milliseconds>(20, 200)}, {1, lengths<milliseconds>(200, 3000)}});
	const auto jitter = weightedOneOf<milliseconds>(
		{{6, always(0ms)}, {3, lengths<milliseconds>(0, 50)}, {1, lengths<milliseconds>(50, 1000)}});
	const auto loss = weightedOneOf<int>({{6, always(0)}, {1, inRange(0, 10)}, {1, inRange(10, 40)}});
	const auto lateness = weightedOneOf<milliseconds>({{2, always(0ms)}, {1, lengths<milliseconds>(0, 20)}});
	return rc::gen::construct<Network>(latency, jitter, loss, lateness);
}

rc::Gen<NetIncident> netIncidents()
{
	const auto fault = rc::gen::weightedElement<NetFault>({
		{4, NetFault::endpoints},
		{3, NetFault::connections},
		{2, NetFault::nameMoves},
		{2, NetFault::resolverFails},
		{1, NetFault::resolverHangs},
		{1, NetFault::slotsTaken},
	});
	const auto how = rc::gen::weightedElement<WayFault>({
		{2, WayFault::refuses},
		{1, WayFault::dropsSyns},
		{2, WayFault::silent},
		{3, WayFault::sealed},
		{1, WayFault::page},
	});
	const auto which = map(inRange(0, 15), [](int bits) { return static_cast<std::uint8_t>(bits); });
	const auto start = weightedOneOf<Part>({{5, parts(0, 30'000)}, {1, always(Part{})}});
	const auto length = weightedOneOf<Part>({{1, parts(0, 5'000)}, {3, parts(5'000, 60'000)}});
	const auto brink = rc::gen::weightedElement<bool>({{4, false}, {1, true}});
	return rc::gen::construct<NetIncident>(fault, how, which, start, length, brink);
}

rc::Gen<Fault> faults()
{
	// Those that today's renewers lose tokens to, more often.
	return rc::gen::weightedElement<Fault>({
		{10, Fault::refused},
		{10, Fault::hanging},
		{3, Fault::frozen},
		{3, Fault::replyLost},
		{4, Fault::sealed},
		{4, Fault::internalError},
		{3, Fault::noLeader},
		{3, Fault::frozenLeader},
		{2, Fault::throttled},
		{2, Fault::throttledToEnd},
		{2, Fault::throttledTooFar},
		{2, Fault::proxyPage},
		{2, Fault::wrapped},
		{1, Fault::lastRenewal},
		{1, Fault::lookUpFails},
		{1, Fault::lookUpMissing},
		{1, Fault::lookUpGarbage},
		{1, Fault::lookUpRefused},
		{1, Fault::absurdLease},
		{1, Fault::leaseUnknown},
		{1, Fault::namespaceGone},
		{2, Fault::policyDenies},
		{2, Fault::unclearRefusal},
		{1, Fault::roleGone},
		{1, Fault::userGone},
		{2, Fault::entityDisabled},
		{1, Fault::sourceUnreadable},
		{1, Fault::sourceHangs},
		{2, Fault::runsFail},
		{2, Fault::asleep},
	});
}

rc::Gen<Incident> incidents()
{
	const auto length = weightedOneOf<Part>({
		{2, parts(0, 500)}, {4, parts(1'000, 4'900)}, {2, parts(4'900, 10'000)},
		{1, parts(10'000, 30'000)}, // covers the rest of a life of any length
	});
	const auto brink = rc::gen::weightedElement<bool>({{2, false}, {1, true}});
	// Some are there when the renewer begins: then it must ask before it knows how little time there may be.
	const auto start = weightedOneOf<Part>({{7, parts(0, 40'000)}, {1, always(Part{})}});
	const auto any = rc::gen::construct<Incident>(faults(), start, length, brink);
	// A ban by a policy or a gateway mostly lasts for ever.
	const auto lasting = rc::gen::construct<Incident>(
		rc::gen::elementOf(
			std::vector<Fault>{Fault::lookUpFails, Fault::lookUpMissing, Fault::lookUpGarbage, Fault::lookUpRefused}),
		always(Part{}), always(Part{60'000}), always(false));
	return weightedOneOf<Incident>({{15, any}, {1, lasting}});
}

rc::Gen<Happening> happenings()
{
	const auto deed = rc::gen::weightedElement<Deed>({
		{1, Deed::revoke},
		{3, Deed::renewShort},
		{1, Deed::renewLong},
		{1, Deed::lowerMaxTtl},
		{1, Deed::raiseMaxTtl},
		{4, Deed::replaceCredential},
		{2, Deed::replaceByJunk},
		{1, Deed::restoreCredential},
		{3, Deed::renewNow},
		{3, Deed::stop},
		{3, Deed::begin},
		{2, Deed::handOver},
		{1, Deed::stepWallClock},
	});
	return rc::gen::construct<Happening>(deed, parts(0, 40'000));
}

/// The figures that a configuration may change; mostly it does not.
rc::Gen<vault::renewal::Policy> policies()
{
	using vault::renewal::Policy;
	const auto raw = rc::gen::tuple(rc::gen::elementOf(std::vector<double>{0.5, 0.3, 0.66, 0.9}),
		rc::gen::elementOf(std::vector<double>{0.1, 0, 0.3}), rc::gen::elementOf(std::vector<seconds>{1s, 5s, 60s}),
		rc::gen::elementOf(std::vector<seconds>{30s, 5s, 10s}));
	const auto changed = map(raw, [](const auto& drawn) {
		Policy policy;
		std::tie(policy.fraction, policy.jitter, policy.minInterval, policy.requestTimeout) = drawn;
		return policy;
	});
	return weightedOneOf<Policy>({{4, always(Policy{})}, {1, changed}});
}

/// Draws the time for which each new token is refused: mostly none, sometimes for less than the 7 s in which no refusal
/// of a new token is believed, seldom for longer.
rc::Gen<milliseconds> lags()
{
	return weightedOneOf<milliseconds>(
		{{10, always(0ms)}, {2, lengths<milliseconds>(0, 6'500)}, {1, lengths<milliseconds>(6'500, 120'000)}});
}

/// None to `most`. RapidCheck scales ranges with the size of a container; the values of an element must not depend on
/// it.
template <class T>
rc::Gen<std::vector<T>> upTo(int most, const rc::Gen<T>& element)
{
	return rc::gen::resize(most, rc::gen::container<std::vector<T>>(rc::gen::resize(rc::kNominalSize, element)));
}

/// Mostly few, so that most worlds are about one thing; sometimes a crowd.
template <class T>
rc::Gen<std::vector<T>> few(int most, const rc::Gen<T>& element)
{
	return weightedOneOf<std::vector<T>>({{7, upTo(most, element)}, {1, upTo(6, element)}});
}

/// Half of the worlds are about the way to the server, too.
rc::Gen<Topology> topologies()
{
	const auto endpoints = rc::gen::weightedElement<int>({{4, 1}, {3, 2}, {1, 3}, {1, 4}});
	const auto named = rc::gen::weightedElement<bool>({{4, true}, {1, false}});
	const auto resolving =
		weightedOneOf<milliseconds>({{6, lengths<milliseconds>(0, 20)}, {1, lengths<milliseconds>(20, 500)}});
	const auto closesIdle = rc::gen::elementOf(std::vector<seconds>{0s, 0s, 3s, 60s});
	const auto some = rc::gen::construct<Topology>(endpoints, named, resolving, closesIdle, few(2, netIncidents()));
	return weightedOneOf<Topology>({{1, always(Topology{})}, {1, some}});
}

} // namespace

const rc::Gen<World>& anyWorld()
{
	static const rc::Gen<World> worlds = rc::gen::construct<World>(tokens(), networks(), topologies(),
		few(2, incidents()), few(1, happenings()), policies(),
		weightedOneOf<seconds>({{3, always(0s)}, {1, lengths<seconds>(-90, 90)}}), lags(), inRange(1, 5),
		weightedOneOf<seconds>({{6, always(0s)}, {1, always(seconds(24h))}}), rc::gen::arbitrary<std::uint64_t>());
	return worlds;
}

rc::Shrinkable<World> worldOf(std::uint64_t seed)
{
	return anyWorld()(rc::Random(seed));
}

} // namespace issuer::simulation
