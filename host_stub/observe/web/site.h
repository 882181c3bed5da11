#pragma once

#include "observe/issuer_view.h"

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
	std::string contentSecurityPolicy; ///< what a browser may do with it
};

/// What is served where; no sockets. Read-only, and without secrets: nothing here has any.
///
///     /                 the status page
///     /api/v1/issuers   API.md
///     /metrics          for Prometheus
///     /healthz          200 while work that is due gets done
///     /readyz           200 when every issuer has a living credential; else 503 and the reasons, one a line
///
/// [thread-safe]
class Site
{
public:
	/// `fleet` and `metrics` outlive it.
	Site(const Fleet& fleet, HostSnapshot snapshot, const Metrics& metrics);

	/// `target` is a request's path and query; `knownEtag` what its sender already has.
	[[nodiscard]] Answer get(const std::string& target, std::string_view knownEtag = {}) const;

private:
	[[nodiscard]] Answer issuers(const std::string& target, std::string_view knownEtag) const;
	[[nodiscard]] Answer health() const;
	[[nodiscard]] Answer readiness() const;

	const Fleet& _fleet;
	const HostSnapshot _snapshot;
	const Metrics& _metrics;
	const std::string _life; ///< tells this process's revisions from another's
	const std::string _pagePolicy;
};

} // namespace issuer::observe::web
