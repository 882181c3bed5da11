#include "observe/web/readiness.h"

#include "common/duration.h"

namespace issuer::observe::web {

namespace {

std::string why(const IssuerView& issuer)
{
	const std::string& text = issuer.host.problem.empty() ? issuer.told.text : issuer.host.problem;
	return text.empty() ? "" : ": " + text;
}

} // namespace

std::vector<std::string> reasonsNotReady(const Fleet& fleet, const HostSnapshot& snapshot, const FleetSnapshot& part)
{
	std::vector<std::string> reasons;
	if (!fleet.ready()) {
		reasons.emplace_back("the host is starting or stopping");
	}
	if (const auto status = part ? part() : std::nullopt; status && !status->settled) {
		reasons.push_back("the host has not joined the fleet " + status->fleet + " yet");
	}
	for (const IssuerView& issuer : viewAll(fleet, snapshot)) {
		const Severity severity = severityOf(issuer);
		if (severity == Severity::dead) {
			reasons.push_back("issuer " + issuer.told.name + " has no living credential" + why(issuer));
		}
		if (severity == Severity::overdue) {
			reasons.push_back("issuer " + issuer.told.name + " is overdue: nothing was heard of it for " +
							  inWords(issuer.overdue) + " after it had to act" + why(issuer));
		}
		if (severity == Severity::starting) {
			reasons.push_back("issuer " + issuer.told.name + " has not begun" + why(issuer));
		}
	}
	return reasons;
}

} // namespace issuer::observe::web
