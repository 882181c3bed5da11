#pragma once

#include "fake_vault/api.h"
#include "fake_vault/fields.h"
#include "fake_vault/message.h"

#include <string>
#include <string_view>
#include <vector>

#include <Poco/JSON/Array.h>

/// The arguments of the API's handlers; for the files of `Api` only.
namespace issuer::test {

/// A request that has been let in.
struct Api::Call
{
	const ApiRequest& request;
	ServerTime now;
	std::string path;          ///< below /v1/ and the namespace, without the route's own part
	std::string namespacePath; ///< "" or "ns1/"
	Token token;               ///< a copy: handlers change the store
	Fields fields;
};

struct Api::Route
{
	std::string_view path; ///< if it ends in '/', the rest of a request's path is handed to the handler
	std::string_view verbs;
	ApiReply (Api::*handler)(Call&);
};

[[nodiscard]] Poco::JSON::Array::Ptr toJson(const std::vector<std::string>& items);

/// Returns RFC 3339 with as many digits of the second as are needed, up to nanoseconds.
[[nodiscard]] std::string timeText(ServerTime time);

/// Returns the reply to a login, a creation or a renewal. `data` may be null.
[[nodiscard]] ApiReply grantedReply(
	const TokenStore::Created& token, std::vector<std::string> warnings, const Json::Ptr& data = {});

} // namespace issuer::test
