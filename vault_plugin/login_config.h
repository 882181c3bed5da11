#pragma once

#include "credential/origin.h"
#include "credential/sink.h"
#include "renewal/login_policy.h"

#include <optional>
#include <string>

namespace issuer::vault {

/// The login of an issuer: the key `auth` of its configuration, or a wrapped token. Rare and large, so by pointer.
struct LoginConfig
{
	renewal::LoginPolicy policy;
	std::string mount;                        ///< "auth/approle"; empty for a wrapped token
	std::string vaultNamespace;               ///< of the mount
	std::string identity;                     ///< role, role of a certificate, or user name; AppRole: empty
	std::optional<credential::Origin> roleId; ///< AppRole only
	std::optional<credential::Origin> secret; ///< secret_id, JWT, password, or the wrapping token of either
	bool removeAfterReading = false;          ///< the file of the secret_id, once a token made with it is proven
	bool revokeOnStop = false;
	std::optional<credential::SinkFile> sink;
};

} // namespace issuer::vault
