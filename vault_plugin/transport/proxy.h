#pragma once

#include "transport/settings.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::transport {

/// Which proxy stands between us and an address.
///
/// From the environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY or their lower-case forms, the lower-case ones first;
/// loopback addresses never go through a proxy then. NO_PROXY is a list of `*`, names (which cover their subdomains,
/// with or without a leading dot), numeric addresses and CIDR blocks, each but the last with an optional `:port`.
class Proxies
{
public:
	using Environment = std::function<std::optional<std::string>(const char* name)>;

	/// `setting` as in Settings::proxy. The error names the setting or the variable.
	[[nodiscard]] static Result<Proxies> from(const std::string& setting, const Environment& environment);

	/// None: directly. Never for unix sockets.
	[[nodiscard]] std::optional<Address> between(const Address& target) const;

private:
	[[nodiscard]] bool isExcepted(const Address& target) const;

	std::optional<Address> _http;
	std::optional<Address> _https;
	std::vector<std::string> _exceptions;
	bool _exceptLoopback = false;
};

} // namespace issuer::vault::transport
