#pragma once

#include "base/http.h"
#include "renewal/facts.h"

#include <chrono>
#include <optional>
#include <string_view>

/// Requests and replies of Vault's token API, without a socket.
namespace issuer::vault::wire {

/// Returns the path of an operation, from "/".
[[nodiscard]] std::string_view pathOf(renewal::Operation operation) noexcept;

/// Makes a request to lookup-self. `vaultNamespace` may be empty; `token` is borrowed until the exchange has ended.
[[nodiscard]] HttpRequest lookUpSelf(std::string_view token, std::string_view vaultNamespace);

/// Makes a request to renew-self. `increment`: the lease to ask for, cut to whole seconds; none: the server's default.
[[nodiscard]] HttpRequest renewSelf(
	std::string_view token, std::string_view vaultNamespace, std::optional<Duration> increment);

/// Makes a request to sys/capabilities-self, which tells whether the token may renew itself. Costs one of the uses of a
/// token that has num_uses.
[[nodiscard]] HttpRequest capabilitiesSelf(std::string_view token, std::string_view vaultNamespace);

/// Returns whether the reply to capabilitiesSelf() allows the renewal; nothing if it does not tell.
[[nodiscard]] std::optional<bool> mayRenew(const HttpReply& reply);

/// Returns the meaning of a complete reply for the token. Status and text both count: a status alone cannot classify.
/// Removes every secret from `reply.body` before anything else reads it, and hides `token`, which the request carried,
/// where the reply repeats it.
[[nodiscard]] renewal::Answer classify(renewal::Operation operation, HttpReply& reply, std::string_view token);

/// Returns the meaning of a missing reply.
[[nodiscard]] renewal::Answer classify(const ExchangeError& error);

} // namespace issuer::vault::wire
