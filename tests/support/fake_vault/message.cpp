#include "fake_vault/message.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include <Poco/JSON/Array.h>
#include <Poco/String.h>
#include <Poco/UUIDGenerator.h>

namespace issuer::test {
namespace {

using Poco::Dynamic::Var;

ApiReply bareReply(int status)
{
	return {.status = status,
		.headers = {{"Cache-Control", "no-store"},
			{"Strict-Transport-Security", "max-age=31536000; includeSubDomains"}},
		.body = ""};
}

} // namespace

std::string ApiRequest::token() const
{
	if (headers.has("X-Vault-Token")) {
		return Poco::trim(headers.get("X-Vault-Token"));
	}
	static const std::string scheme = "Bearer ";
	const std::string authorization = headers.get("Authorization", "");
	return authorization.starts_with(scheme) ? Poco::trim(authorization.substr(scheme.size())) : "";
}

std::optional<std::string> ApiReply::header(const std::string& name) const
{
	const auto found =
		std::ranges::find_if(headers, [&](const auto& header) { return Poco::icompare(header.first, name) == 0; });
	if (found == headers.end()) {
		return {};
	}
	return found->second;
}

Json::Ptr makeJson()
{
	return new Json(Poco::JSON_PRESERVE_KEY_ORDER);
}

std::string toText(const Json::Ptr& json)
{
	std::ostringstream out;
	json->stringify(out);
	return out.str() + "\n";
}

ApiReply jsonReply(int status, std::string body)
{
	ApiReply reply = bareReply(status);
	reply.headers.emplace_back("Content-Type", "application/json");
	reply.body = std::move(body);
	return reply;
}

ApiReply jsonReply(int status, const Json::Ptr& json)
{
	return jsonReply(status, toText(json));
}

ApiReply errorReply(int status, const std::string& error)
{
	Poco::JSON::Array::Ptr errors = new Poco::JSON::Array;
	if (!error.empty()) {
		errors->add(error);
	}
	auto body = makeJson();
	body->set("errors", errors);
	return jsonReply(status, body);
}

ApiReply noContent()
{
	return jsonReply(204, "");
}

ApiReply redirectReply(const std::string& location)
{
	ApiReply reply = bareReply(307);
	reply.headers.emplace_back("Location", location);
	return reply;
}

ApiReply tokenRefused()
{
	return errorReply(403, "permission denied");
}

ApiReply policyRefused()
{
	return errorReply(403, "1 error occurred:\n\t* permission denied\n\n");
}

Json::Ptr envelope(const Json::Ptr& data, const Json::Ptr& auth, const std::vector<std::string>& warnings)
{
	Var warningList;
	if (!warnings.empty()) {
		Poco::JSON::Array::Ptr list = new Poco::JSON::Array;
		std::ranges::for_each(warnings, [&](const auto& warning) { list->add(warning); });
		warningList = list;
	}
	auto body = makeJson();
	body->set("request_id", Poco::UUIDGenerator().createRandom().toString());
	body->set("lease_id", "");
	body->set("renewable", false);
	body->set("lease_duration", 0);
	body->set("data", data ? Var(data) : Var());
	body->set("wrap_info", Var());
	body->set("warnings", warningList);
	body->set("auth", auth ? Var(auth) : Var());
	return body;
}

} // namespace issuer::test
