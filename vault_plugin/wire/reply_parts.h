#pragma once

#include "base/http.h"
#include "base/time.h"
#include "renewal/facts.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The parts of reading a reply that renewals and logins share.
namespace issuer::vault::wire {

/// Returns "HTTP 403".
[[nodiscard]] std::string statusOf(const HttpReply& reply);

/// Returns the words of a reply for the operator, in one line; empty if it has none.
[[nodiscard]] std::string saidIn(const HttpReply& reply, std::span<const std::string> words);

/// Returns the seconds of Retry-After, if they are a whole number above 0. A date is ignored: it is meant for another
/// clock, and Vault sends none.
[[nodiscard]] std::optional<Duration> retryAfter(const HttpReply& reply);

/// Classifies a redirect that was not followed, or whose target did not take the request. `path`: that of the request;
/// `secrets`: those that it carried, which are hidden in `reply.location`.
[[nodiscard]] renewal::Trouble classifyRedirect(
	std::string_view path, HttpReply& reply, std::span<const std::string_view> secrets);

/// Returns whether a warning says that the token's life was cut. A cut period does not count: a period above the
/// mount's maximum is granted again and again.
[[nodiscard]] bool tellsOfCap(std::string_view warning);

} // namespace issuer::vault::wire
