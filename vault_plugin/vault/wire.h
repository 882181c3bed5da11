#pragma once

#include "base/http.h"
#include "renewal/facts.h"

#include <chrono>
#include <optional>
#include <string_view>

/// What Vault means: requests and replies of the token API, without a socket.
namespace issuer::vault::wire {

/// lookup-self. `vaultNamespace` may be empty; `token` is borrowed until the exchange has ended.
[[nodiscard]] HttpRequest lookUpSelf(std::string_view token, std::string_view vaultNamespace);

/// renew-self. `increment`: what to ask for, cut to whole seconds; none: what the server has set.
[[nodiscard]] HttpRequest renewSelf(
	std::string_view token, std::string_view vaultNamespace, std::optional<Duration> increment);

/// sys/capabilities-self: may the token renew itself? It costs a use of a token with few.
[[nodiscard]] HttpRequest capabilitiesSelf(std::string_view token, std::string_view vaultNamespace);

/// What the reply to capabilitiesSelf() says; nothing where it does not.
[[nodiscard]] std::optional<bool> mayRenew(const HttpReply& reply);

/// What a complete reply means for the token. Status and text both count: a status alone cannot classify.
/// Takes every secret out of `reply.body` before anything else reads it, and hides `token`, which the request carried,
/// where the server's words repeat it.
[[nodiscard]] renewal::Answer classify(renewal::Operation operation, HttpReply& reply, std::string_view token);

/// What a missing reply means.
[[nodiscard]] renewal::Answer classify(const ExchangeError& error);

} // namespace issuer::vault::wire
