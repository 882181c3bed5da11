#pragma once

#include "observe/fleet.h"
#include "registry/registry.h"

#include <string>
#include <string_view>

namespace issuer::commands {

/// Answers what is asked of a running host at its control socket; the protocol is told in control/server.h.
/// Does not throw. [thread-safe]
[[nodiscard]] std::string answerControl(
	registry::Registry& registry, const observe::Fleet& fleet, std::string_view request);

/// The line that asks how the issuers are, the most urgent ones if there are very many; or how one is.
[[nodiscard]] std::string issuersRequest(const std::optional<std::string>& issuer);

/// The line that asks for one issuer's swap. `plugin` has an absolute path.
[[nodiscard]] std::string swapRequest(const std::string& issuer, const loader::PluginFile& plugin);

/// The line that nudges one issuer.
[[nodiscard]] std::string nudgeRequest(const std::string& issuer, registry::Nudge nudge);

} // namespace issuer::commands
