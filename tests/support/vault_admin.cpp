#include "vault_admin.h"

#include <sstream>
#include <stdexcept>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

namespace issuer::test {

VaultAdmin::VaultAdmin(const std::string& address, std::string rootToken) : _root(std::move(rootToken))
{
	const Poco::URI uri(address);
	_host = uri.getHost();
	_port = uri.getPort();
}

ApiReply VaultAdmin::ask(const std::string& method, const std::string& path, const std::string& body,
	const std::string& inNamespace, const std::string& asToken) const
{
	Poco::Net::HTTPClientSession session(_host, static_cast<Poco::UInt16>(_port));
	session.setTimeout(Poco::Timespan(30, 0));
	Poco::Net::HTTPRequest request(method, "/v1/" + path, "HTTP/1.1");
	request.set("X-Vault-Token", asToken.empty() ? _root : asToken);
	if (!inNamespace.empty()) {
		request.set("X-Vault-Namespace", inNamespace);
	}
	request.setContentLength64(static_cast<Poco::Int64>(body.size()));
	session.sendRequest(request) << body;
	Poco::Net::HTTPResponse response;
	ApiReply reply;
	Poco::StreamCopier::copyToString(session.receiveResponse(response), reply.body);
	reply.status = response.getStatus();
	return reply;
}

ApiReply VaultAdmin::write(const std::string& path, const std::string& body, const std::string& inNamespace) const
{
	auto reply = ask("POST", path, body, inNamespace);
	if (reply.status / 100 != 2) {
		throw std::runtime_error(path + ": status " + std::to_string(reply.status) + " " + reply.body);
	}
	return reply;
}

std::string VaultAdmin::createToken(
	const std::string& wish, const std::string& path, const std::string& inNamespace) const
{
	return textIn(write("auth/token/" + path, wish, inNamespace), "auth.client_token");
}

void VaultAdmin::revoke(const std::string& token) const
{
	write("auth/token/revoke", R"({"token":")" + token + R"("})");
}

bool VaultAdmin::isAlive(const std::string& token) const
{
	return ask("GET", "auth/token/lookup-self", "", "", token).status == 200;
}

std::string textIn(const ApiReply& reply, const std::string& path)
{
	if (!reply.body.starts_with('{')) {
		return "";
	}
	auto value = Poco::JSON::Parser().parse(reply.body);
	std::istringstream keys(path);
	for (std::string key; std::getline(keys, key, '.') && !value.isEmpty();) {
		if (value.type() == typeid(Poco::JSON::Array::Ptr)) {
			value = value.extract<Poco::JSON::Array::Ptr>()->get(static_cast<unsigned>(std::stoul(key)));
		}
		else {
			value = value.extract<Poco::JSON::Object::Ptr>()->get(key);
		}
	}
	return value.isEmpty() ? "" : value.toString();
}

} // namespace issuer::test
