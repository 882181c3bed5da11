#pragma once

#include "commands/fleet_config.h"
#include "commands/pulse.h"
#include "commands/short_leases.h"
#include "fleet/runner/relay.h"
#include "fleet/runner/runner.h"
#include "observe/fleet/issuer_view.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// The part that a running host has in a fleet; without a fleet in its configuration it does nothing.
///
/// Use: sink() and lastState() go into the registry's surroundings, then join(), and, at the end, close(), the
/// registry's stop, and leave().
class FleetPart
{
public:
	FleetPart(const std::optional<FleetConfig>& config, std::shared_ptr<observe::EventSink> sink);

	/// Returns the sink that the registry is to tell.
	[[nodiscard]] std::shared_ptr<observe::EventSink> sink() const;
	void lastState(const std::string& issuer, const std::string& plugin, std::string text);

	/// Prepares for a registry, which outlives the part or its close(). Nothing is joined yet.
	void prepare(registry::Registry& registry, const observe::Fleet& fleet, observe::HostSnapshot snapshot);
	/// Joins with the issuers that the registry has.
	void join();
	/// Takes that a reload has changed the registry's issuers.
	void reloaded();
	/// Ends all decisions, before the registry is stopped.
	void close();
	/// Hands over and leaves, once the registry is stopped.
	void leave();
	/// Returns the time that leave() may take.
	[[nodiscard]] std::chrono::milliseconds patience() const;

	/// Writes into `issuers` which members keep the ones that are kept elsewhere.
	void nameKeepers(std::vector<observe::IssuerStatus>& issuers) const;
	[[nodiscard]] std::optional<observe::FleetStatus> status() const;
	/// Returns the status with what the other members tell of their issuers. May block for a second.
	[[nodiscard]] std::optional<observe::FleetStatus> statusOfAll() const;

private:
	const std::optional<FleetConfig> _config;
	const std::shared_ptr<observe::EventSink> _sink;
	const std::shared_ptr<fleet::Relay> _relay;                 ///< null: no fleet
	std::function<std::vector<observe::IssuerView>()> _issuers; ///< empty, as all below: no fleet, or not prepared yet
	std::unique_ptr<PulseReader> _pulses;
	std::unique_ptr<ShortLeases> _shortLeases; ///< of the runner's thread
	std::unique_ptr<fleet::Runner> _runner;    ///< ends first: its thread uses all above
};

} // namespace issuer::commands
