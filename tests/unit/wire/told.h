#pragma once

#include "renewal/facts.h"
#include "wire/logins.h"

#include <string>

namespace issuer::vault::wire {

/// Returns an answer in a few words, for tables: "grant 7s capped", "denied (refused)", "throttled (throttled), retry
/// after 18s", "ttl 59s, lease 60s, created 1795478553, expires 1795478613.731601". Defaults are left out, and so is
/// the sentence for the operator.
[[nodiscard]] std::string told(const renewal::Answer& answer);

/// Returns the meaning of a login's reply and the secret in it: "logged in for 60s, role lr, default; s.TOKEN_A",
/// "ambiguous (refused)".
[[nodiscard]] std::string told(const LoginReply& reply);

/// Returns the sentence for the operator; empty for good answers.
[[nodiscard]] std::string detailOf(const renewal::Answer& answer);
[[nodiscard]] std::string detailOf(const LoginReply& reply);

} // namespace issuer::vault::wire
