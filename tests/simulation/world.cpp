#include "world.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <sstream>
#include <string>

namespace issuer::simulation {

std::string_view nameOf(Kind kind)
{
	switch (kind) {
	case Kind::service:
		return "service";
	case Kind::roleService:
		return "service of a role";
	case Kind::periodic:
		return "periodic";
	case Kind::rolePeriodic:
		return "periodic of a role";
	case Kind::batch:
		return "batch";
	case Kind::notRenewable:
		return "not renewable";
	case Kind::limitedUses:
		return "limited uses";
	case Kind::firstRoot:
		return "first root";
	case Kind::createdRoot:
		return "created root";
	}
	return "?";
}

namespace {

struct FaultTraits
{
	Fault fault;
	std::string_view name;
	bool preventsRenewal;
	bool passesSoon;
};

/// In the order of the enumeration.
constexpr std::array faults{std::to_array<FaultTraits>({
	{Fault::asleep, "machine asleep", true, true},
	{Fault::runsFail, "the owner's runs fail", true, true},
	{Fault::refused, "refused connections", true, true},
	{Fault::hanging, "hanging", true, true},
	{Fault::frozen, "frozen, answers at its end", true, true},
	{Fault::replyLost, "replies lost", true, true},
	{Fault::sealed, "503 sealed", true, true},
	{Fault::internalError, "500", true, true},
	{Fault::noLeader, "no leader", true, true},
	{Fault::frozenLeader, "leader frozen", true, true},
	{Fault::throttled, "429", true, true},
	{Fault::throttledToEnd, "429 until its end", true, true},
	{Fault::throttledTooFar, "429 for an hour", true, true},
	{Fault::proxyPage, "a proxy's page", true, true},
	{Fault::wrapped, "wrapped answers", false, true},
	{Fault::lastRenewal, "renewals granted with renewable:false", false, true},
	{Fault::lookUpFails, "look-ups get 500", false, true},
	{Fault::lookUpMissing, "look-ups get 404", false, true},
	{Fault::lookUpGarbage, "look-ups get a proxy's page", false, true},
	{Fault::lookUpRefused, "look-ups get the 403 of a dead token", false, false},
	{Fault::absurdLease, "answers name leases of centuries", true, true},
	{Fault::leaseUnknown, "invalid lease ID", true, false},
	{Fault::namespaceGone, "404 namespace", true, true},
	{Fault::policyDenies, "policy denies", true, false},
	{Fault::unclearRefusal, "unclear 403", true, false},
	{Fault::roleGone, "role gone", true, false},
	{Fault::userGone, "user gone, 204", true, false},
	{Fault::entityDisabled, "entity disabled", true, false},
	{Fault::sourceUnreadable, "credential source unreadable", false, true},
	{Fault::sourceHangs, "credential source hangs", false, true},
})};

constexpr const FaultTraits& traitsOf(Fault fault)
{
	return faults.at(static_cast<std::size_t>(fault));
}

static_assert(
	std::ranges::all_of(faults, [](const FaultTraits& traits) { return &traitsOf(traits.fault) == &traits; }));
static_assert(faults.back().fault == lastFault);

} // namespace

std::string_view nameOf(Fault fault)
{
	return traitsOf(fault).name;
}

bool preventsRenewal(Fault fault)
{
	return traitsOf(fault).preventsRenewal;
}

bool passesSoon(Fault fault)
{
	return traitsOf(fault).passesSoon;
}

std::string_view nameOf(Deed deed)
{
	switch (deed) {
	case Deed::revoke:
		return "revoked";
	case Deed::renewShort:
		return "a rival renews for a tenth of the lease";
	case Deed::renewLong:
		return "a rival renews for two leases";
	case Deed::lowerMaxTtl:
		return "max TTL lowered";
	case Deed::raiseMaxTtl:
		return "max TTL raised";
	case Deed::replaceCredential:
		return "credential replaced";
	case Deed::replaceByJunk:
		return "credential replaced by a text that is no token";
	case Deed::restoreCredential:
		return "credential in use put back";
	case Deed::renewNow:
		return "renewal asked for";
	case Deed::stop:
		return "stop";
	case Deed::begin:
		return "begin";
	case Deed::handOver:
		return "handed over";
	case Deed::stepWallClock:
		return "wall clock steps by 1 h";
	}
	return "?";
}

std::string_view nameOf(WayFault fault)
{
	switch (fault) {
	case WayFault::refuses:
		return "refuse connections";
	case WayFault::dropsSyns:
		return "do not answer";
	case WayFault::silent:
		return "accept and are silent";
	case WayFault::sealed:
		return "say 503";
	case WayFault::page:
		return "give a proxy's page";
	}
	return "?";
}

std::string_view nameOf(NetFault fault)
{
	switch (fault) {
	case NetFault::endpoints:
		return "endpoints";
	case NetFault::connections:
		return "connections";
	case NetFault::nameMoves:
		return "name moves";
	case NetFault::resolverFails:
		return "resolver fails";
	case NetFault::resolverHangs:
		return "resolver hangs";
	case NetFault::slotsTaken:
		return "slots taken by neighbours";
	}
	return "?";
}

std::string inWords(NetIncident incident)
{
	std::string words(nameOf(incident.fault));
	switch (incident.fault) {
	case NetFault::endpoints:
	case NetFault::connections:
		for (int bit = 0; bit < 4; ++bit) {
			words += (incident.which >> bit & 1) != 0 ? " " + std::to_string(bit) : "";
		}
		return words + " " + std::string(nameOf(incident.how));
	case NetFault::nameMoves:
		return words + ", the endpoints before " + std::string(nameOf(incident.how));
	case NetFault::resolverFails:
	case NetFault::resolverHangs:
	case NetFault::slotsTaken:
		break;
	}
	return words;
}

std::string inWords(Duration length)
{
	struct Unit
	{
		Duration size;
		const char* name;
	};
	using namespace std::chrono;
	static constexpr std::array<Unit, 4> units{
		{{hours(1), " h"}, {minutes(1), " min"}, {seconds(1), " s"}, {milliseconds(1), " ms"}}};
	const auto positive = length < Duration::zero() ? -length : length;
	std::ostringstream text;
	text.precision(6);
	for (const auto& unit : units) {
		if (positive >= unit.size || &unit == &units.back()) {
			text << static_cast<double>(length.count()) / static_cast<double>(unit.size.count()) << unit.name;
			break;
		}
	}
	return text.str();
}

std::ostream& operator<<(std::ostream& out, const World& world)
{
	const auto& token = world.token;
	out << "token: " << nameOf(token.kind) << ", lease " << inWords(token.lease);
	if (token.maxTtl > seconds(0)) {
		out << ", max TTL " << inWords(token.maxTtl) << (token.maxTtlShown ? " (shown)" : " (hidden)");
	}
	if (token.kind == Kind::limitedUses) {
		out << ", " << token.uses << " uses";
	}
	out << ", " << inWords(token.spent.of(token.lease)) << " of it spent, " << token.renewedBefore
		<< " half leases old before that, issued " << token.issuedAfter.count() << " ms after a full second\n";
	out << "network: " << world.network.latency.count() << " ms + up to " << world.network.jitter.count() << " ms, "
		<< world.network.lossPercent << " % lost, up to " << world.network.lateness.count() << " ms late\n";
	if (world.topology.endpoints > 0) {
		const auto& way = world.topology;
		out << "way: " << way.endpoints << (way.named ? " endpoints of a name, resolved in " : " fixed endpoints");
		if (way.named) {
			out << way.resolving.count() << " ms";
		}
		if (way.closesIdle > seconds(0)) {
			out << ", idle connections closed after " << inWords(way.closesIdle);
		}
		out << '\n';
	}
	out << "policy: fraction " << world.policy.fraction << ", jitter " << world.policy.jitter << ", min interval "
		<< inWords(world.policy.minInterval) << ", request timeout " << inWords(world.policy.requestTimeout)
		<< ", increment " << inWords(world.policy.increment) << '\n';
	if (world.replicationLag > milliseconds(0)) {
		out << "each token is refused for the first " << inWords(world.replicationLag) << '\n';
	}
	out << "watched for " << world.leases << " leases, then " << inWords(world.afterwards) << ", wall clock "
		<< world.clockSkew.count() << " s off, dice " << world.dice << '\n';
	for (const auto& incident : world.incidents) {
		out << "  at " << inWords(incident.start.of(token.lease)) << ": " << nameOf(incident.fault) << ", "
			<< (incident.toTheBrink ? "until the token can only just be saved"
									: "for " + inWords(incident.length.of(token.lease)))
			<< '\n';
	}
	for (const auto& incident : world.topology.incidents) {
		out << "  at " << inWords(incident.start.of(token.lease)) << ": " << inWords(incident) << ", "
			<< (incident.toTheBrink ? "until the token can only just be saved"
									: "for " + inWords(incident.length.of(token.lease)))
			<< '\n';
	}
	for (const auto& happening : world.happenings) {
		out << "  at " << inWords(happening.at.of(token.lease)) << ": " << nameOf(happening.deed) << '\n';
	}
	return out;
}

} // namespace issuer::simulation
