#pragma once

#include "base/http.h"

namespace issuer::vault::wire {

/// What is read of the replies to look-ups and renewals. A list of what is read rather than of what is secret, so that
/// a secret in a field that nobody thought of goes, too.
[[nodiscard]] std::span<const JsonKey> replyKeys() noexcept;

/// What is read of the reply to capabilitiesSelf().
[[nodiscard]] std::span<const JsonKey> capabilityKeys() noexcept;

/// HttpRequest::understands: is it Vault's language? `reply.body` holds what was read of it.
[[nodiscard]] bool isVaultsLanguage(const HttpReply& reply);

} // namespace issuer::vault::wire
