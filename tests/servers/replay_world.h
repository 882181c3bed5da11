#pragma once

#include "capture.h"
#include "fake_vault/api.h"
#include "fake_vault/client_certificate.h"
#include "fake_vault/logins.h"
#include "fake_vault/message.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <map>
#include <optional>
#include <string>

namespace issuer::test {

/// Certificates for all tests: one authority that the mount trusts, and one that it does not.
struct Certificates
{
	Certificates();

	TempDir directory;
	TempDir otherDirectory;
	TestPki pki{directory.path()};
	TestPki other{otherDirectory.path(), "Other CA"};
	ClientCertificate good;
	ClientCertificate rotated;
	ClientCertificate ofOther;
	ClientCertificate wrongName;

	static Certificates& shared();
};

/// A fake server at the moment before a recorded login: with the mount that the request names, and a role or user that
/// accepts its material.
struct ReplayWorld
{
	Capture capture;
	TestClock clock;
	Api api{clock, {}};
	std::string token = "s.000000000000000000000000"; ///< stands in for the recording's token
	std::string jwt;
	std::optional<ClientCertificate> certificate = {};
	std::string mountName;
	AuthMount mount = {};
	LoginRole role = {};
	std::string roleName;
	Logins others = {}; ///< disabled entities and policies of entities

	explicit ReplayWorld(const std::string& name);

	/// Makes the login's JWT, with these claims instead of the usual ones.
	void signs(const std::map<std::string, Poco::Dynamic::Var>& claims, const std::string& key = "key-1");

	/// Returns the time of the server as claims give it, in seconds since 1970.
	[[nodiscard]] Poco::Int64 now() const;

	/// Puts the mount and its role in place.
	void enable();

	/// Sends a request; without `asToken`, as root.
	ApiReply ask(const std::string& method, const std::string& target, const std::string& body = "",
		const std::string& wrapTtl = "", const std::string& asToken = "");

	/// Takes the token that a login brings.
	void logsIn();

	/// Takes the wrapping token that a request brings.
	void wraps(const std::string& target, const std::string& body = "{}");

	/// Sends the recorded request, with this world's token and JWT in it.
	ApiReply replay();
};

/// Returns the token of a login's or creation's reply.
[[nodiscard]] std::string tokenOf(const ApiReply& reply);

} // namespace issuer::test
