#pragma once

#include "observe/events/fleet_status.h"
#include "observe/fleet/issuer_view.h"

#include <memory>
#include <string>

namespace issuer::observe {

/// The metrics for Prometheus: names and meanings are a promise to dashboards and alerts, listed in
/// packaging/prometheus/README.md.
///
/// Those of an issuer are rendered from the fleet at the moment of the scrape: at 10,000 issuers metric objects of
/// their own would cost more memory than all the rest of the host, and would have to be deleted one by one.
class Metrics final : public EventSink
{
public:
	/// `fleet` must outlive it. `version` is the host's. `part`, if given, tells of the fleet that it is a member of.
	Metrics(const Fleet& fleet, HostSnapshot snapshot, const std::string& version, FleetSnapshot part = nullptr);
	~Metrics() override;

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(std::string_view, issuer_log_level, std::string_view, std::string_view) override {}
	void notice(const Notice& notice) override;

	/// Returns the text format 0.0.4. [thread-safe]
	[[nodiscard]] std::string text() const;
	static constexpr const char* contentType = "text/plain; version=0.0.4; charset=utf-8";

private:
	struct Hosts; ///< the metrics of the host as a whole

	const Fleet& _fleet;
	const HostSnapshot _snapshot;
	const FleetSnapshot _part;
	std::unique_ptr<Hosts> _hosts;
};

} // namespace issuer::observe
