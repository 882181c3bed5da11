#pragma once

#include "fake_vault/client_certificate.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <Poco/JSON/Object.h>
#include <Poco/Net/NameValueCollection.h>

/// Requests and replies of the fake Vault as plain data, and the envelope every reply of a real one has.
namespace issuer::test {

struct ApiRequest
{
	std::string method;
	std::string target;                          ///< path and query, as sent
	Poco::Net::NameValueCollection headers = {}; ///< names compare without case
	std::string body = {};
	std::string clientAddress = "127.0.0.1";                 ///< numeric, without port; empty: through a unix socket
	std::optional<ClientCertificate> clientCertificate = {}; ///< of the connection

	[[nodiscard]] std::string path() const { return target.substr(0, target.find('?')); }

	/// The token as the server takes it: trimmed; from X-Vault-Token or a bearer Authorization. Empty: none.
	[[nodiscard]] std::string token() const;
};

struct ApiReply
{
	int status = 200;
	std::vector<std::pair<std::string, std::string>> headers;
	std::string body;

	[[nodiscard]] std::optional<std::string> header(const std::string& name) const;
};

using Json = Poco::JSON::Object;

[[nodiscard]] Json::Ptr makeJson(); ///< empty, keeps the order of its keys
[[nodiscard]] std::string toText(const Json::Ptr& json);

/// An API answer with this body; no body when it is empty, but the header Content-Type all the same.
[[nodiscard]] ApiReply jsonReply(int status, std::string body);
[[nodiscard]] ApiReply jsonReply(int status, const Json::Ptr& json);
[[nodiscard]] ApiReply errorReply(int status, const std::string& error);
[[nodiscard]] ApiReply noContent();

/// 307 without Content-Type or body, as one server sends a client to another.
[[nodiscard]] ApiReply redirectReply(const std::string& location);

/// "403 PD1": the server does not accept the token.
[[nodiscard]] ApiReply tokenRefused();
/// "403 PDn": the token lives, its policies do not allow this.
[[nodiscard]] ApiReply policyRefused();

/// The eight keys of every success, in their order; `data` and `auth` may be null pointers.
[[nodiscard]] Json::Ptr envelope(
	const Json::Ptr& data, const Json::Ptr& auth, const std::vector<std::string>& warnings);

} // namespace issuer::test
