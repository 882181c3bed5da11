#include "vault.h"

#include "setup.h"

#include <sstream>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

namespace issuer::demo {
namespace {

using Poco::JSON::Object;

constexpr const char* issuerPrefix = "token-"; ///< Vault's own, before the display name that was wished for

struct Answer
{
	int status;
	std::string body;
};

Answer ask(const std::string& method, const std::string& url, const std::string& token, const std::string& body)
{
	const Poco::URI address(url);
	Poco::Net::HTTPClientSession session(address.getHost(), address.getPort());
	Poco::Net::HTTPRequest request(method, address.getPathAndQuery(), "HTTP/1.1");
	request.setContentLength64(static_cast<Poco::Int64>(body.size()));
	if (!token.empty()) {
		request.set("X-Vault-Token", token);
	}
	session.sendRequest(request) << body;
	Poco::Net::HTTPResponse response;
	Answer answer;
	Poco::StreamCopier::copyToString(session.receiveResponse(response), answer.body);
	answer.status = response.getStatus();
	return answer;
}

Object::Ptr parsed(const std::string& json)
{
	return Poco::JSON::Parser().parse(json).extract<Object::Ptr>();
}

std::string withoutPrefix(const std::string& name)
{
	return name.starts_with(issuerPrefix) ? name.substr(std::string(issuerPrefix).size()) : name;
}

} // namespace

Vault::Vault(const std::filesystem::path& program) : _process(program, {})
{
	// "fake-vault: serving http://127.0.0.1:40123 with root token s.…"
	std::istringstream line(_process.readLine().value_or(""));
	std::string word;
	line >> word >> word >> _address >> word >> word >> word >> _rootToken;
	if (_rootToken.empty()) {
		throw Failure("fake-vault does not serve");
	}
}

std::string Vault::createToken(const std::string& issuer, const std::string& wish) const
{
	const auto answer = ask("POST", _address + "/v1/auth/token/create", _rootToken,
		R"({"policies":["default"],"display_name":")" + issuer + "\"," + wish + "}");
	if (answer.status != 200) {
		throw Failure("the fake Vault makes no token for " + issuer + ": " + answer.body);
	}
	return parsed(answer.body)->getObject("auth")->getValue<std::string>("client_token");
}

AppRole Vault::createAppRole(const std::string& issuer, const std::string& role)
{
	const std::string path = "/v1/auth/approle/role/" + issuer;
	ask("POST", _address + "/v1/sys/auth/approle", _rootToken, R"({"type":"approle"})");
	ask("POST", _address + path, _rootToken, "{" + role + "}");
	const auto roleId = ask("GET", _address + path + "/role-id", _rootToken, "");
	const auto secretId = ask("POST", _address + path + "/secret-id", _rootToken, "{}");
	if (roleId.status != 200 || secretId.status != 200) {
		throw Failure("the fake Vault makes no AppRole for " + issuer + ": " + roleId.body + secretId.body);
	}
	_appRolesIssuer = issuer;
	return {parsed(roleId.body)->getObject("data")->getValue<std::string>("role_id"),
		parsed(secretId.body)->getObject("data")->getValue<std::string>("secret_id")};
}

bool Vault::accepts(const std::string& token) const
{
	return ask("GET", _address + "/v1/auth/token/lookup-self", token, "").status == 200;
}

void Vault::beginOutage(std::chrono::seconds howLong) const
{
	ask("POST", _address + "/fake/outage", "", R"({"for":")" + std::to_string(howLong.count()) + "s\"}");
}

std::vector<Request> Vault::requests() const
{
	std::vector<Request> requests;
	const auto list = parsed(ask("GET", _address + "/fake/log", "", "").body)->getArray("requests");
	for (std::size_t i = 0; i < list->size(); ++i) {
		const auto row = list->getObject(static_cast<unsigned>(i));
		const auto who = row->getValue<std::string>("who");
		requests.push_back({.unixMs = row->getValue<std::int64_t>("at"),
			.call = row->getValue<std::string>("call"),
			.who = who == "approle" ? _appRolesIssuer : withoutPrefix(who),
			.status = row->getValue<int>("status")});
	}
	return requests;
}

int statusOf(const std::string& url)
{
	try {
		return ask("GET", url, "", "").status;
	}
	catch (const Poco::Exception&) {
		return 0;
	}
}

} // namespace issuer::demo
