#pragma once

#include <Poco/JSON/Object.h>
#include <string>

namespace issuer::commands {

/// Formats the host's answer about its issuers (observe/web/API.md) as a table: one line for each issuer, and a second
/// one if it has a remark. Pure: the time is the answer's own.
[[nodiscard]] std::string statusTable(const Poco::JSON::Object& answer, bool colours);

} // namespace issuer::commands
