#pragma once

#include "base/http.h"

#include <string>
#include <string_view>

namespace issuer::vault::wire {

/// Makes a request as every server of Vault's kind takes it. `token` is borrowed until the exchange has ended; empty:
/// the request carries none. `vaultNamespace` is borrowed too, and may be empty.
[[nodiscard]] HttpRequest vaultRequest(
	std::string_view method, std::string path, std::string_view token, std::string_view vaultNamespace);

/// Returns the text without the slashes at its ends, which do not count in the name of a mount.
[[nodiscard]] std::string_view withoutSlashes(std::string_view text);

} // namespace issuer::vault::wire
