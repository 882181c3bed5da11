#pragma once

#include "base/http.h"
#include "base/wiped.h"
#include "wire/verdicts.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::wire {

/// The content of the reply to a login, an unwrapping, or a look-up around them. Secrets are in wiped memory only.
struct LoginContent
{
	struct Auth
	{
		WipedString token;           ///< empty: none
		std::optional<double> lease; ///< in seconds
		bool renewable = true;
		bool batch = false;
		double usesLeft = 0; ///< 0: unlimited
		std::string roleName;
		std::vector<std::string> policies;
		bool wantsMfa = false;
	};

	struct Data
	{
		WipedString secretId;       ///< empty: none
		std::optional<double> uses; ///< remaining uses of the secret_id; 0: unlimited
		std::optional<double> ttl;  ///< remaining life of the secret_id in seconds; 0: for ever
		std::string expirationTime; ///< end of the secret_id, RFC 3339
		std::string creationPath;   ///< path whose answer a wrapping token holds
		std::string creationTime;
		std::optional<double> creationTtl; ///< in seconds
	};

	bool object = false;  ///< a whole JSON object
	bool wrapped = false; ///< `wrap_info` is an object
	std::optional<Auth> auth;
	std::optional<Data> data;
	Words words;                        ///< as the verdicts compare them
	std::vector<WipedString> forPeople; ///< the same as they were written; may quote a secret
	std::vector<WipedString> warnings;
};

/// Reads `body`, wipes and empties it. Takes any bytes: members that cannot be read are left out.
[[nodiscard]] LoginContent readLoginReply(WipedString& body);

/// Returns texts without the secrets that they may quote.
[[nodiscard]] std::vector<std::string> withoutSecrets(
	std::span<const WipedString> texts, std::span<const std::string_view> secrets);

} // namespace issuer::vault::wire
