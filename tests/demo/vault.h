#pragma once

#include "child_process.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace issuer::demo {

/// A request as the server remembers it.
struct Request
{
	std::int64_t unixMs;
	std::string call; ///< "renew-self"
	std::string who;  ///< the name of the token's issuer
	int status;
};

/// The two parts of a login by AppRole.
struct AppRole
{
	std::string roleId;
	std::string secretId;
};

/// The fake Vault in a process of its own, with the calls of the demonstration.
class Vault
{
public:
	explicit Vault(const std::filesystem::path& program);

	[[nodiscard]] const std::string& address() const { return _address; }

	/// A token for the issuer of that name; `wish` holds the other fields of auth/token/create, as JSON without braces.
	[[nodiscard]] std::string createToken(const std::string& issuer, const std::string& wish) const;

	/// A login for the issuer of that name, by AppRole; `role` holds the fields of its role, as JSON without braces.
	/// One at most: the server's log calls the tokens of all AppRoles alike.
	[[nodiscard]] AppRole createAppRole(const std::string& issuer, const std::string& role);

	/// Throws Poco::Exception if the server does not answer. [thread-safe]
	[[nodiscard]] bool accepts(const std::string& token) const;

	void beginOutage(std::chrono::seconds howLong) const;

	/// All it has been asked so far.
	[[nodiscard]] std::vector<Request> requests() const;

private:
	test::ChildProcess _process;
	std::string _address;
	std::string _rootToken;
	std::string _appRolesIssuer; ///< empty: none has an AppRole
};

/// The status of a GET; 0 when there is no answer.
[[nodiscard]] int statusOf(const std::string& url);

} // namespace issuer::demo
