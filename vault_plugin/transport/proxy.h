#pragma once

#include "transport/settings.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::transport {

/// The proxies between this process and servers. Immutable; a copy is cheap where there is none.
///
/// From the environment, as the tools of Vault and OpenBao read it: BAO_PROXY_ADDR, VAULT_PROXY_ADDR, BAO_HTTP_PROXY or
/// VAULT_HTTP_PROXY, the first of them that is set, applies to every server. Otherwise HTTPS_PROXY and HTTP_PROXY, or
/// their lower-case forms, apply to servers of their scheme, but neither to loopback addresses nor to those that
/// NO_PROXY lists: `*`, names (which cover their subdomains; with a leading dot only those), numeric addresses and CIDR
/// blocks, each but the last with an optional `:port`.
class Proxies
{
public:
	/// Returns the value of a variable, or null. Borrowed for the call.
	using Environment = std::function<const char*(const char* name)>;

	/// Reads the variables. Never fails: a variable that cannot be used is an error only for the servers that it
	/// applies to.
	[[nodiscard]] static Proxies fromEnvironment(const Environment& environment);

	/// Returns the proxies that `settings.proxy` demands; `environment` is the result of fromEnvironment(). The error
	/// names the setting.
	[[nodiscard]] static Result<Proxies> from(const Settings& settings, const Proxies& environment);

	/// Returns the proxy for `target`, or nothing: it is reached directly, as unix sockets always are. The error names
	/// the variable of a proxy that cannot be used, and quotes nothing of it.
	[[nodiscard]] Result<std::optional<Address>> proxyFor(const Address& target) const;

private:
	/// A proxy, or the reason why it cannot be used.
	using Choice = Result<std::optional<Address>>;

	[[nodiscard]] bool isExcepted(const Address& target) const;

	Choice _http = std::nullopt;
	Choice _https = std::nullopt;
	std::vector<std::string> _exceptions;
	bool _exceptLoopback = false;
};

} // namespace issuer::vault::transport
