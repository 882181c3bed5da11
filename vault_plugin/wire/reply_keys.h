#pragma once

#include "base/http.h"

namespace issuer::vault::wire {

/// Returns the members that are read of the replies to look-ups and renewals. It lists what is read rather than what is
/// secret, so that a secret in an unexpected field is removed as well.
[[nodiscard]] std::span<const JsonKey> replyKeys() noexcept;

/// Returns the members that are read of the reply to capabilitiesSelf().
[[nodiscard]] std::span<const JsonKey> capabilityKeys() noexcept;

/// Returns whether a reply is in Vault's language, for HttpRequest::understands. `reply.body` holds only the members
/// that were read.
[[nodiscard]] bool isVaultsLanguage(const HttpReply& reply);

} // namespace issuer::vault::wire
