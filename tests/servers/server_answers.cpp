#include "server_answers.h"

#include "child_process.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

namespace issuer::test {
namespace {

using Poco::Dynamic::Var;
using Servers = std::map<ServerKind, std::unique_ptr<AskedServer>>;

Servers& sharedServers()
{
	static Servers servers;
	return servers;
}

/// Servers end before the process does: their threads must not meet statics that are gone.
class EndOfServers : public testing::Environment
{
public:
	void TearDown() override { sharedServers().clear(); }
};

const auto* const endOfServers = testing::AddGlobalTestEnvironment(new EndOfServers);

std::unique_ptr<AskedServer> start(ServerKind kind)
{
	switch (kind) {
	case ServerKind::fake:
		return startFake();
	case ServerKind::real:
		return startReal();
	}
	return nullptr;
}

} // namespace

std::vector<ServerKind> realServers()
{
	return findOnPath({"bao", "vault"}).empty() ? std::vector<ServerKind>{} : std::vector{ServerKind::real};
}

std::string nameOf(const testing::TestParamInfo<ServerKind>& info)
{
	return info.param == ServerKind::fake ? "fake" : "real";
}

AskedServer& ServerAnswers::server()
{
	auto& shared = sharedServers()[GetParam()];
	if (!shared) {
		shared = start(GetParam());
	}
	return *shared;
}

std::unique_ptr<AskedServer> ServerAnswers::freshServer() const
{
	return start(GetParam());
}

ApiReply ServerAnswers::ask(const std::string& method, const std::string& path, const std::string& token,
	const std::string& body, const Headers& headers)
{
	return askServer(server(), method, path, token, body, headers);
}

ApiReply ServerAnswers::asRoot(const std::string& path, const std::string& body, const Headers& headers)
{
	return ask("POST", path, server().rootToken(), body, headers);
}

ApiReply ServerAnswers::renew(const std::string& token, const std::string& body, const Headers& headers)
{
	return ask("POST", "auth/token/renew-self", token, body, headers);
}

ApiReply ServerAnswers::lookUp(const std::string& token, const Headers& headers)
{
	return ask("GET", "auth/token/lookup-self", token, "", headers);
}

std::string ServerAnswers::create(const std::string& wish, const std::string& path, const Headers& headers)
{
	const auto reply = asRoot("auth/token/" + path, wish, headers);
	EXPECT_EQ(reply.status, 200) << reply.body;
	return text(reply, "auth.client_token");
}

ApiReply ServerAnswers::untilOtherThan(int status, const std::function<ApiReply()>& call)
{
	ApiReply reply = call();
	for (int moments = 0; reply.status == status && moments < 1000; ++moments) {
		server().letTimePass();
		reply = call();
	}
	return reply;
}

std::string ServerAnswers::own(const std::string& kind)
{
	std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
	std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::isalnum(c) ? std::tolower(c) : '-'; });
	return kind + "-" + name;
}

ApiReply askServer(const AskedServer& server, const std::string& method, const std::string& path,
	const std::string& token, const std::string& body, const std::map<std::string, std::string>& headers)
{
	const std::string host = server.host();
	const auto colon = host.rfind(':');
	Poco::Net::HTTPClientSession session(
		host.substr(0, colon), static_cast<Poco::UInt16>(std::stoi(host.substr(colon + 1))));
	Poco::Net::HTTPRequest request(method, path.starts_with('/') ? path : "/v1/" + path, "HTTP/1.1");
	if (!token.empty()) {
		request.set("X-Vault-Token", token);
	}
	for (const auto& [name, value] : headers) {
		request.set(name, value);
	}
	request.setContentLength64(static_cast<Poco::Int64>(body.size()));
	session.sendRequest(request) << body;
	Poco::Net::HTTPResponse response;
	ApiReply reply;
	Poco::StreamCopier::copyToString(session.receiveResponse(response), reply.body);
	reply.status = response.getStatus();
	reply.headers.assign(response.begin(), response.end());
	return reply;
}

Var field(const ApiReply& reply, const std::string& path)
{
	if (!reply.body.starts_with('{')) {
		return {};
	}
	Var value = Poco::JSON::Parser().parse(reply.body);
	std::istringstream keys(path);
	for (std::string key; std::getline(keys, key, '.') && !value.isEmpty();) {
		value = value.extract<Json::Ptr>()->get(key);
	}
	return value;
}

int number(const ApiReply& reply, const std::string& path)
{
	const auto value = field(reply, path);
	return value.isEmpty() ? -1000 : value.convert<int>();
}

std::string text(const ApiReply& reply, const std::string& path)
{
	const auto value = field(reply, path);
	return value.isEmpty() ? "" : value.toString();
}

std::set<std::string> keysOf(const ApiReply& reply, const std::string& path)
{
	const auto value = field(reply, path);
	std::set<std::string> keys;
	if (!value.isEmpty()) {
		const auto object = value.extract<Json::Ptr>();
		for (const auto& key : object->getNames()) {
			keys.insert(key);
		}
	}
	return keys;
}

std::vector<std::string> list(const ApiReply& reply, const std::string& path)
{
	const auto value = field(reply, path);
	std::vector<std::string> items;
	if (!value.isEmpty()) {
		const auto array = value.extract<Poco::JSON::Array::Ptr>();
		std::ranges::transform(*array, std::back_inserter(items), [](const Var& item) { return item.toString(); });
	}
	return items;
}

std::string warning(const ApiReply& reply)
{
	const auto warnings = list(reply, "warnings");
	return warnings.empty() ? "" : warnings.front();
}

void PrintTo(const ApiReply& reply, std::ostream* out)
{
	*out << "status " << reply.status << ": " << reply.body;
}

} // namespace issuer::test
