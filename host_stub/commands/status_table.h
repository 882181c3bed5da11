#pragma once

#include <Poco/JSON/Object.h>
#include <string>

namespace issuer::commands {

/// What the host answers about its issuers (observe/web/API.md) as a table for people: one line an issuer, and one more
/// where there is something to say. Pure: now is the answer's own time.
[[nodiscard]] std::string statusTable(const Poco::JSON::Object& answer, bool colours);

} // namespace issuer::commands
