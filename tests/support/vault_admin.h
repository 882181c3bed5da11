#pragma once

#include "fake_vault/message.h"

#include <string>

namespace issuer::test {

/// The calls of an operator with a root token, over plain HTTP: the same for the fake and for a real Vault. One
/// connection for each call. [thread-safe] Calls throw Poco::Exception when there is no reply within 30 s.
class VaultAdmin
{
public:
	/// `address`: "http://127.0.0.1:8200".
	VaultAdmin(const std::string& address, std::string rootToken);

	/// `path` is below /v1/; `body` empty: none; `asToken` empty: the root token.
	[[nodiscard]] ApiReply ask(const std::string& method, const std::string& path, const std::string& body = "",
		const std::string& inNamespace = "", const std::string& asToken = "") const;
	/// POST; throws std::runtime_error for any other status than 2xx.
	ApiReply write(const std::string& path, const std::string& body, const std::string& inNamespace = "") const;

	/// A token as the body of auth/token/create wishes it; of a role with `path` "create/<role>".
	[[nodiscard]] std::string createToken(
		const std::string& wish, const std::string& path = "create", const std::string& inNamespace = "") const;
	void revoke(const std::string& token) const;
	/// Returns whether a token lives. Asks with the token itself: not for one whose uses are counted.
	[[nodiscard]] bool isAlive(const std::string& token) const;

private:
	std::string _host;
	int _port = 0;
	std::string _root;
};

/// A text or number of a reply's JSON, "auth.client_token", "keys.0"; empty: not there.
[[nodiscard]] std::string textIn(const ApiReply& reply, const std::string& path);

} // namespace issuer::test
