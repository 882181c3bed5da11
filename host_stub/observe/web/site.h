#pragma once

#include "observe/events/fleet_status.h"
#include "observe/fleet/issuer_view.h"

#include <string>
#include <string_view>

namespace issuer::observe {
class Metrics;
}

namespace issuer::observe::web {

struct Answer
{
	int status = 200;
	std::string type;
	std::string body;
	std::string etag;                  ///< empty: none
	std::string contentSecurityPolicy; ///< tells a browser which scripts and styles to allow
};

/// Answers requests by path; no sockets. Read-only, and without secrets: there are none here.
///
///   /                 the status page
///   /api/v1/issuers   API.md
///   /api/v1/fleet     likewise
///   /metrics          for Prometheus
///   /healthz          200 while due work is being done
///   /readyz           200 when the host has joined its fleet, if it has one, and every issuer has a living credential;
///                     else 503 and the reasons, one a line
///
/// [thread-safe]
class Site
{
public:
	/// `fleet` and `metrics` must outlive it. `part` is the host's in a fleet of hosts, and `whole` is that
	/// with what the other members tell, which may take a second; null: it has none.
	Site(const Fleet& fleet, HostSnapshot snapshot, const Metrics& metrics, FleetSnapshot part = nullptr,
		FleetSnapshot whole = nullptr);

	/// Answers a request. `target` is its path and query; `knownEtag` the entity tag of the client's copy.
	[[nodiscard]] Answer get(const std::string& target, std::string_view knownEtag = {}) const;

private:
	[[nodiscard]] Answer issuers(const std::string& target, std::string_view knownEtag) const;
	[[nodiscard]] Answer health() const;
	[[nodiscard]] Answer readiness() const;

	const Fleet& _fleet;
	const HostSnapshot _snapshot;
	const Metrics& _metrics;
	const FleetSnapshot _part;
	const FleetSnapshot _whole;
	const std::string _life; ///< id of this process in entity tags, whose revisions differ from another's
	const std::string _pagePolicy;
};

} // namespace issuer::observe::web
