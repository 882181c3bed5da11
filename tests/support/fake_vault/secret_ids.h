#pragma once

#include "fake_vault/clock.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace issuer::test {

/// A secret_id of an AppRole.
struct SecretId
{
	int usesLeft = 0;            ///< 0: unlimited
	std::chrono::seconds ttl{0}; ///< 0: for ever
	ServerTime created = {};
	std::string accessor = {};
	std::vector<std::string> cidrs = {}; ///< addresses that may log in with it; empty: all

	/// Returns the time after which it may be gone; nothing: never.
	[[nodiscard]] std::optional<ServerTime> ends() const
	{
		return ttl > std::chrono::seconds(0) ? std::optional(created + ttl) : std::nullopt;
	}
};

/// The secret_ids of one AppRole, as OpenBao 2.6.2 keeps them: an expired one works on until the next tidy, which runs
/// once a minute. Pure: the time is an argument.
class SecretIds
{
public:
	void add(const std::string& secretId, SecretId facts) { _all[secretId] = std::move(facts); }
	void destroy(const std::string& secretId) { _all.erase(secretId); }

	/// Returns the secret_id, also one that has expired, until it is tidied; null: there is none.
	[[nodiscard]] const SecretId* find(const std::string& secretId, ServerTime now);

	/// Notes a login with a secret_id that find() has found.
	void use(const std::string& secretId);

private:
	std::map<std::string, SecretId> _all;
};

} // namespace issuer::test
