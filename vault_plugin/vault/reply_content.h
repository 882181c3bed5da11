#pragma once

#include "base/wiped.h"
#include "renewal/facts.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::wire {

/// What the body of a reply says, whatever it means. Repeats neither the request's token nor any other secret, unless a
/// server puts one into words for people.
struct ReplyContent
{
	bool object = false;            ///< a whole JSON object
	bool vaultsWords = false;       ///< `words` are those of `{"errors": ["…"]}`; else of something before the server
	std::vector<std::string> words; ///< what went wrong, for people
	std::vector<std::string> warnings;
	bool wrapped = false;                     ///< `wrap_info` is an object
	std::optional<Duration> lease;            ///< `auth.lease_duration`
	bool renewable = true;                    ///< `auth.renewable`; true where the server does not say
	std::optional<renewal::TokenFacts> token; ///< `data`, if it has a `ttl`
};

/// Reads `body`, after it has removed what is not read and the token that the request carried, as no copy of those is
/// wiped. Takes any bytes: members that cannot be read are left out. Lengths of time are held within 0 and 100 years.
[[nodiscard]] ReplyContent readReply(WipedString& body, std::string_view token);

} // namespace issuer::vault::wire
