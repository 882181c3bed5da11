#pragma once

#include "observe/fleet.h"
#include "registry/registry.h"

#include <string>
#include <string_view>

namespace issuer::commands {

/// Answers a request at the control socket of a running host; control/server.h describes the protocol. Does not throw.
/// [thread-safe]
[[nodiscard]] std::string answerControl(
	registry::Registry& registry, const observe::Fleet& fleet, std::string_view request);

/// Returns the request for the state of the issuers, the most urgent ones if there are very many; or of one issuer.
[[nodiscard]] std::string issuersRequest(const std::optional<std::string>& issuer);

/// Returns the request to swap one issuer. `plugin` has an absolute path.
[[nodiscard]] std::string swapRequest(const std::string& issuer, const loader::PluginFile& plugin);

/// Returns the request to nudge one issuer.
[[nodiscard]] std::string nudgeRequest(const std::string& issuer, registry::Nudge nudge);

} // namespace issuer::commands
