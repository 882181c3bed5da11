#pragma once

#include "base/http.h"
#include "wire/logins.h"

#include <string>
#include <string_view>

namespace issuer::vault::wire {

/// The maker of a token, as far as a look-up of that token tells.
struct TokenMaker
{
	std::string path; ///< with its namespace: "team-a/auth/approle/login"; empty: not told
	std::string role; ///< Kubernetes, JWT: the role; certificate: its role. Empty: not told, as of an AppRole
};

/// Returns the maker that a successful reply to lookUpSelf() names. The reply may have been classified before.
[[nodiscard]] TokenMaker makerIn(const HttpReply& reply);

/// Returns a sentence that says how the maker of a token differs from logins at `place` with `identity`; empty: it does
/// not, or is not told. Upper and lower case count alike, as servers keep names in lower case.
[[nodiscard]] std::string differenceOf(const TokenMaker& maker, const LoginPlace& place, std::string_view identity);

} // namespace issuer::vault::wire
