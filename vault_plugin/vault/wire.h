#pragma once

#include "base/http.h"
#include "renewal/facts.h"

#include <chrono>
#include <optional>
#include <string_view>

/// What Vault means: requests and replies of the token API, without a socket.
namespace issuer::vault::wire {

/// The path of an operation, from "/".
[[nodiscard]] std::string_view pathOf(renewal::Operation operation) noexcept;

/// lookup-self. `vaultNamespace` may be empty; `token` is borrowed until the exchange has ended.
[[nodiscard]] HttpRequest lookUpSelf(std::string_view token, std::string_view vaultNamespace);

/// renew-self. `increment`: what to ask for, cut to whole seconds; none: what the server has set.
[[nodiscard]] HttpRequest renewSelf(
	std::string_view token, std::string_view vaultNamespace, std::optional<Duration> increment);

/// sys/capabilities-self, which tells whether the token may renew itself. Costs one of the uses of a token that has
/// num_uses.
[[nodiscard]] HttpRequest capabilitiesSelf(std::string_view token, std::string_view vaultNamespace);

/// Returns what the reply to capabilitiesSelf() says; nothing where it does not.
[[nodiscard]] std::optional<bool> mayRenew(const HttpReply& reply);

/// What a complete reply means for the token. Status and text both count: a status alone cannot classify.
/// Removes every secret from `reply.body` before anything else reads it, and hides `token`, which the request carried,
/// where the reply repeats it.
[[nodiscard]] renewal::Answer classify(renewal::Operation operation, HttpReply& reply, std::string_view token);

/// What a missing reply means.
[[nodiscard]] renewal::Answer classify(const ExchangeError& error);

} // namespace issuer::vault::wire
