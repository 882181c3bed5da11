#pragma once

#include "transport/settings.h"

#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// Where a redirect leads.
struct Target
{
	Address address;  ///< without prefix
	std::string path; ///< with the query, from "/"
};

/// 301, 302, 307 and 308 with a Location ask for the same request elsewhere. (303 asks for a GET, which is no renewal.)
[[nodiscard]] bool isRedirect(int status);

/// May the request, token included, follow `location`, which the server at `from` gave? The error says why not.
///
/// A token goes only to who could have had it anyway: a server that our TLS settings vouch for when the one that sent
/// us there was itself vouched for, or else one that the operator has configured. Never from https to plain http.
[[nodiscard]] Result<Target> redirectTarget(const Settings& settings, const Address& from, std::string_view location);

} // namespace issuer::vault::transport
