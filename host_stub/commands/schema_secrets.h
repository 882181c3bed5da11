#pragma once

#include <string>
#include <vector>

namespace issuer::commands {

/// Returns the paths of those values of an issuer's configuration, as "token.value", that the schema of its plugin
/// marks as secrets: "writeOnly". Both texts are JSON; of one that is not, nothing is known, and the result is empty.
[[nodiscard]] std::vector<std::string> secretsIn(const std::string& config, const std::string& schema);

} // namespace issuer::commands
