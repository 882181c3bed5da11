#pragma once

#include "base/result.h"
#include "base/time.h"
#include "credential/origin.h"
#include "login_config.h"
#include "renewal/policy.h"
#include "transport/settings.h"

#include <compare>
#include <memory>
#include <string>
#include <string_view>

namespace issuer::vault {

/// The part of a configuration that issuers can share: everything but the credential and the login.
struct CommonConfig
{
	enum class Startup
	{
		failFast,   ///< start waits for the first look-up
		background, ///< start returns at once and goes on trying
	};

	transport::Settings transport;
	std::string vaultNamespace; ///< for X-Vault-Namespace; empty: not sent
	renewal::Policy renewal;
	Startup startup = Startup::failFast;
	Duration startupTimeout = std::chrono::seconds(30);

	friend auto operator<=>(const CommonConfig&, const CommonConfig&) = default;
};

/// The configuration of one Vault issuer, decoded and validated.
struct Config : CommonConfig
{
	credential::Origin token;
	std::unique_ptr<LoginConfig> auth; ///< null: the token is given. Otherwise `token` is of kind `login`
};

/// Decodes `json`, at most 128 KiB of it. Opens nothing. The error names the key by its path («renewal.min_interval»),
/// the value's kind and the one that is expected; it never quotes a token, and no copy of one is left behind.
/// `transport.userAgent` is not configured: it stays empty.
[[nodiscard]] Result<Config> parseConfig(std::string_view json);

/// The same rules as a JSON Schema (draft 2020-12), for hosts, editors and people. A test compares the two.
extern const char configSchema[];

} // namespace issuer::vault
