#pragma once

#include "fake_vault/api.h"
#include "fake_vault/fields.h"
#include "fake_vault/message.h"

#include <string>
#include <string_view>

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
	std::string_view path; ///< ends in '/': whatever follows is handed to the handler
	std::string_view verbs;
	ApiReply (Api::*handler)(Call&);
};

} // namespace issuer::test
