#pragma once

#include "commands/reloading.h"
#include "observe/fleet.h"
#include "registry/registry.h"

#include <string>
#include <string_view>

namespace issuer::commands {

/// What a host does beside driving its registry.
struct HostActions
{
	std::function<ReloadReport(ReloadMode)> reload;
	registry::Registry::Trial canary; ///< see Registry::swap()
};

/// Answers what is asked of a running host at its control socket; the protocol is told in control/server.h.
/// Does not throw. [thread-safe]
[[nodiscard]] std::string answerControl(
	registry::Registry& registry, const observe::Fleet& fleet, const HostActions& actions, std::string_view request);

/// Returns the request for the state of the issuers, the most urgent ones if there are very many; or of one issuer.
[[nodiscard]] std::string issuersRequest(const std::optional<std::string>& issuer);

/// The line that asks for one issuer's swap. `plugin` has an absolute path. With `canary` it is first tried in a
/// process of its own.
[[nodiscard]] std::string swapRequest(const std::string& issuer, const loader::PluginFile& plugin, bool canary = false);

/// The line that asks for a reload.
[[nodiscard]] std::string reloadRequest(ReloadMode mode);

/// Returns the request to nudge one issuer.
[[nodiscard]] std::string nudgeRequest(const std::string& issuer, registry::Nudge nudge);

} // namespace issuer::commands
