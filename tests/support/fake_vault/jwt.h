#pragma once

#include "fake_vault/clock.h"
#include "fake_vault/message.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace issuer::test {

/// Returns a JWT with these claims, as JSON. Its signature is the name of a key, which the fake Vault compares with the
/// names that its mount knows: it stands for a signature, and is none.
[[nodiscard]] std::string makeJwt(const std::string& claims, const std::string& key = "key-1");

/// The demands of a mount or a role on a JWT. Empty: none.
struct JwtDemands
{
	std::vector<std::string> keys = {"key-1"}; ///< of the mount
	std::string issuer = {};
	std::string subject = {};
	std::vector<std::string> audiences = {}; ///< one of these
	std::map<std::string, std::string> claims = {};
};

/// Returns the claims of a JWT that is good at `now`, with 60 s of leeway; or the server's words, of which each is
/// seen of a real one.
[[nodiscard]] tl::expected<Json::Ptr, std::string> verifyJwt(
	const std::string& jwt, const JwtDemands& demands, ServerTime now);

} // namespace issuer::test
