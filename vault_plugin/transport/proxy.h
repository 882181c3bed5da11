#pragma once

#include "transport/settings.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::transport {

/// The proxies between here and servers. Immutable; a copy is cheap where there is none.
///
/// From the environment, as the tools of Vault and OpenBao read it: BAO_PROXY_ADDR, VAULT_PROXY_ADDR, BAO_HTTP_PROXY or
/// VAULT_HTTP_PROXY, the first of them that is set, stands before every server. Else HTTPS_PROXY and HTTP_PROXY, or
/// their lower-case forms, stand before those of their scheme, but neither before loopback addresses nor before what
/// NO_PROXY lists: `*`, names (which cover their subdomains; with a leading dot only those), numeric addresses and CIDR
/// blocks, each but the last with an optional `:port`.
class Proxies
{
public:
	/// Returns the value of a variable, or null. Borrowed for the call.
	using Environment = std::function<const char*(const char* name)>;

	/// Never fails: a variable that cannot be used matters to the servers that it is for.
	[[nodiscard]] static Proxies fromEnvironment(const Environment& environment);

	/// As `settings.proxy` says; `environment` is what fromEnvironment() gave. The error names the setting.
	[[nodiscard]] static Result<Proxies> from(const Settings& settings, const Proxies& environment);

	/// Returns the proxy before `target`, or nothing: it is reached directly, as unix sockets always are. The error
	/// names the variable of a proxy that cannot be used, and shows nothing of it.
	[[nodiscard]] Result<std::optional<Address>> proxyFor(const Address& target) const;

private:
	/// A proxy, or why it cannot be used.
	using Choice = Result<std::optional<Address>>;

	[[nodiscard]] bool isExcepted(const Address& target) const;

	Choice _http = std::nullopt;
	Choice _https = std::nullopt;
	std::vector<std::string> _exceptions;
	bool _exceptLoopback = false;
};

} // namespace issuer::vault::transport
