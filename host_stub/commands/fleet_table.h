#pragma once

#include <Poco/JSON/Object.h>
#include <string>

namespace issuer::commands {

/// Formats the host's answer about its fleet (observe/web/API.md) as a table: one line for each member, then whose
/// pages could not be read (fleet_pages.h), the worst issuers of all, and what no host is seen to keep. Pure.
[[nodiscard]] std::string fleetTable(const Poco::JSON::Object& fleet);

} // namespace issuer::commands
