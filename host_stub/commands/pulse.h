#pragma once

#include "fleet/directory.h"
#include "observe/events/fleet_status.h"
#include "observe/fleet/issuer_view.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// Returns what the pages of other members show of this host: counts by severity, and the ten worst issuers.
[[nodiscard]] std::string pulseText(const std::vector<observe::IssuerView>& issuers);

/// Decodes the text of another member; none: it makes no sense to this version. What this version does not know of it
/// is left out.
[[nodiscard]] std::optional<observe::FleetStatus::Pulse> pulseFrom(const std::string& text);

/// Writes into `status` what the members tell, and this host's own pulse.
void addPulses(observe::FleetStatus& status, const fleet::Directory::Pulses& pulses, const std::string& own);

/// Returns the pulses of all members, read from the engine at most every two seconds. [thread-safe]
class PulseReader
{
public:
	using Take = std::function<void(fleet::Directory::Pulses)>;

	/// `read` hands the pulses over, at any time and from any thread: Runner::readPulses().
	explicit PulseReader(std::function<void(Take)> read);

	/// Returns the pulses, name and text; those of the last time if no answer comes within a second.
	[[nodiscard]] fleet::Directory::Pulses latest() const;

private:
	struct Shared;

	const std::function<void(Take)> _read;
	const std::shared_ptr<Shared> _shared; ///< with readers that are still to be answered
};

} // namespace issuer::commands
