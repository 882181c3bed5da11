#pragma once

#include "base/http.h"

namespace issuer::vault::wire {

/// Returns the members that are read of the replies to look-ups and renewals. It lists members to read rather than
/// secrets, so that a secret in an unexpected member is removed as well.
[[nodiscard]] std::span<const JsonKey> replyKeys() noexcept;

/// Returns the members that are read of the reply to capabilitiesSelf().
[[nodiscard]] std::span<const JsonKey> capabilityKeys() noexcept;

/// Returns the members that are read of the replies to logins, unwrappings, and look-ups of a wrapping token or a
/// secret_id. Among them are secrets: `auth.client_token` and `data.secret_id`.
[[nodiscard]] std::span<const JsonKey> loginKeys() noexcept;

/// Returns the members that are read of replies that bring nothing but words.
[[nodiscard]] std::span<const JsonKey> wordKeys() noexcept;

/// Returns whether a reply is in Vault's language, for HttpRequest::understands. `reply.body` holds only the members
/// that were read.
[[nodiscard]] bool isVaultsLanguage(const HttpReply& reply);

} // namespace issuer::vault::wire
