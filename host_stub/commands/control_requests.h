#pragma once

#include "commands/reloading.h"
#include "control/server.h"
#include "observe/events/fleet_status.h"
#include "observe/fleet/fleet.h"
#include "observe/fleet/issuer_view.h"
#include "registry/registry.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::commands {

/// Actions of a host that its registry does not have.
struct HostActions
{
	std::function<ReloadReport(ReloadMode)> reload;
	registry::Registry::Trial canary;                  ///< see Registry::swap()
	std::function<void(issuer_log_level)> setLogLevel; ///< sets the lowest level of the log's lines
	observe::HostSnapshot snapshot = nullptr; ///< of all issuers, with their keepers; null: as the registry knows them
	observe::FleetSnapshot fleet =
		nullptr; ///< of the hosts that this one shares its issuers with; null: there are none
};

/// Answers a request at the control socket of a running host; control/server.h describes the protocol. A reader gets no
/// request through that changes anything. Does not throw. [thread-safe]
[[nodiscard]] std::string answerControl(registry::Registry& registry, const observe::Fleet& fleet,
	const HostActions& actions, std::string_view request, control::Peer peer = control::Peer::owner);

/// Returns the request for the state of all issuers, or of one; with a limit, of the most urgent ones.
[[nodiscard]] std::string issuersRequest(
	const std::optional<std::string>& issuer, std::optional<std::size_t> limit = std::nullopt);

/// Returns the request for issuers in the order of their names, as many as one answer has, from the one at `offset` on.
[[nodiscard]] std::string issuersPageRequest(std::size_t offset);

/// Returns the request for the state of the fleet that the host is a member of.
[[nodiscard]] std::string fleetRequest();

/// Returns the request to swap one issuer. `plugin` has an absolute path. With `canary` the host first tries it in a
/// process of its own.
[[nodiscard]] std::string swapRequest(const std::string& issuer, const loader::PluginFile& plugin, bool canary = false);

/// Returns the request for a reload.
[[nodiscard]] std::string reloadRequest(ReloadMode mode);

/// Returns the request to set the log level; `level` need not be one.
[[nodiscard]] std::string logLevelRequest(const std::string& level);

/// Returns the request to nudge one issuer.
[[nodiscard]] std::string nudgeRequest(const std::string& issuer, registry::Nudge nudge);

} // namespace issuer::commands
