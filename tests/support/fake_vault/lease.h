#pragma once

#include "fake_vault/clock.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

/// The arithmetic of a lease as OpenBao 2.6.2 does it, observed at the wall: both clocks cut to whole seconds.
/// Pure: the time is an argument.
namespace issuer::test::lease {

using std::chrono::seconds;

/// A server's answer to a request for more life.
struct Grant
{
	seconds ttl;
	std::optional<std::string> warning; ///< why it is less than was asked for
};

/// The bounds of a grant.
struct Limits
{
	seconds mountMax;       ///< of the auth mount or the system; never 0
	seconds explicitMax{0}; ///< of the token or its role; 0: none
	seconds period{0};      ///< 0: not periodic. A periodic token ignores the requested TTL and never meets mountMax
};

/// The grant for a token issued at `issued` that wants `wanted` at `now`; nothing: past the max TTL, up to one second
/// before issued + max, as floor(now) is compared with floor(issued) + max.
[[nodiscard]] std::optional<Grant> grant(ServerTime issued, ServerTime now, seconds wanted, const Limits& limits);

/// `ttl` as lookup-self shows it: the rest of the life against the *rounded* second, and cut: up to 1.5 s below the
/// truth (a token that ends at x.9 s, asked at y.5 s), or 0.5 s above. Right after a grant, up to 1 s below.
[[nodiscard]] seconds shownTtl(ServerTime expires, ServerTime now);

/// A duration as Go writes it in warnings, without the zero units at its end: "8s", "1m", "1h30m", "768h".
[[nodiscard]] std::string toText(seconds duration);

/// A duration as the API accepts it: "", "90", "1h30m", "1.5h", "1d". Cut to whole seconds. The error is the server's.
[[nodiscard]] tl::expected<seconds, std::string> parse(std::string_view text);

} // namespace issuer::test::lease
