#pragma once

#include "base/wiped.h"
#include "renewal/facts.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::wire {

/// The content of a reply's body, without a verdict on it. Repeats neither the request's token nor any other secret,
/// unless a server puts one into an error text.
struct ReplyContent
{
	bool object = false;            ///< a whole JSON object
	bool vaultsWords = false;       ///< `words` come from `{"errors": ["…"]}`; false: from a proxy or gateway
	std::vector<std::string> words; ///< error texts and warnings for the operator
	std::vector<std::string> warnings;
	bool wrapped = false;                     ///< `wrap_info` is an object
	std::optional<Duration> lease;            ///< `auth.lease_duration`
	bool renewable = true;                    ///< `auth.renewable`; true where the server does not say
	std::optional<renewal::TokenFacts> token; ///< `data`, if it has a `ttl`
};

/// Reads `body`, after it has removed the members that are not read and the token that the request carried, as no copy
/// of those is wiped. Takes any bytes: members that cannot be read are left out. Durations are clamped to 0 and 100
/// years.
[[nodiscard]] ReplyContent readReply(WipedString& body, std::string_view token);

} // namespace issuer::vault::wire
