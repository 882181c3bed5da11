#pragma once

#include "base/wiped.h"
#include "renewal/facts.h"

#include <optional>
#include <string>
#include <vector>

namespace issuer::vault::wire {

/// What stands in the body of a reply, whatever it means. Nothing in it is secret, unless a server repeats a secret
/// inside an error text.
struct ReplyContent
{
	bool object = false;             ///< a JSON object; else a page of a proxy, a text, nothing, half a reply
	std::vector<std::string> errors; ///< `errors`, or `error` of servers that have but one
	std::vector<std::string> warnings;
	bool wrapped = false;                     ///< `wrap_info` is an object
	std::optional<Duration> lease;            ///< `auth.lease_duration`
	bool renewable = true;                    ///< `auth.renewable`; true where the server does not say
	std::optional<renewal::TokenFacts> token; ///< `data`, if it has a `ttl`
};

/// Takes out of `body` what is not read here, overwrites it, and reads the rest. Any bytes are welcome: what cannot be
/// read is left out. Lengths of time are held within 0 and 100 years.
[[nodiscard]] ReplyContent readReply(WipedString& body);

} // namespace issuer::vault::wire
