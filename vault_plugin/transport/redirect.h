#pragma once

#include "transport/settings.h"

#include <string_view>

namespace issuer::vault::transport {

/// Returns true for 307 and 308: a cluster's redirect to its leader keeps method and body. 301, 302 and 303 come from
/// sign-on pages, and are not followed.
[[nodiscard]] bool isRedirect(int status);

/// Returns the server (without prefix) that gets the request to `path`, token included, after the server at `from` has
/// redirected it to `location`; or the reason why it is not sent there. Names host and path of the location, never a
/// query.
///
/// A token goes only to the servers it was meant for: the same path and query on a server that our TLS settings vouch
/// for when the one that redirects was itself vouched for, or else on one that the operator has configured. Never from
/// https to plain http.
[[nodiscard]] Result<Address> redirectTarget(
	const Settings& settings, const Address& from, std::string_view path, std::string_view location);

} // namespace issuer::vault::transport
