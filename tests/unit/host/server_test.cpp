#include "observe/web/server.h"

#include "observe/metrics.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SSLException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <gmock/gmock.h>

namespace issuer::observe::web {
namespace {

namespace net = Poco::Net;
using testing::HasSubstr;
using testing::StartsWith;

struct Heard
{
	net::HTTPResponse response;
	std::string body;
};

class TheServer : public testing::Test
{
protected:
	void listen(const Settings& settings)
	{
		auto started = Server::start(settings, site);
		ASSERT_TRUE(started) << started.error().text;
		server = std::move(*started);
		port = Poco::URI(server->url()).getPort();
	}

	[[nodiscard]] static Settings anyPort() { return {{"127.0.0.1", 0}, {}, false}; }

	static Heard ask(net::HTTPClientSession& session, net::HTTPRequest request)
	{
		Heard heard;
		session.sendRequest(request);
		Poco::StreamCopier::copyToString(session.receiveResponse(heard.response), heard.body);
		return heard;
	}

	[[nodiscard]] Heard get(const std::string& path, const std::string& method = "GET") const
	{
		net::HTTPClientSession session("127.0.0.1", port);
		return ask(session, {method, path, "HTTP/1.1"});
	}

	Fleet fleet;
	Metrics metrics{fleet, [] { return std::vector<IssuerStatus>(); }, "9.9.9"};
	Site site{fleet, [] { return std::vector<IssuerStatus>(); }, metrics};
	issuer::test::TempDir temp;
	std::unique_ptr<Server> server;
	std::uint16_t port = 0;
};

TEST_F(TheServer, SaysWhereItListensAndServesThere)
{
	listen(anyPort());
	EXPECT_THAT(server->url(), StartsWith("http://127.0.0.1:"));
	const Heard page = get("/");
	EXPECT_EQ(page.response.getContentType(), "text/html; charset=utf-8");
	EXPECT_THAT(page.response.get("Content-Security-Policy"), HasSubstr("default-src 'none'"));
	EXPECT_EQ(page.response.get("X-Content-Type-Options"), "nosniff");
	EXPECT_THAT(page.body, HasSubstr("</html>"));
}

TEST_F(TheServer, AnswersAHeadWithoutABodyAndNothingThatWrites)
{
	listen(anyPort());
	const Heard head = get("/metrics", "HEAD");
	EXPECT_EQ(head.response.getStatus(), 200);
	EXPECT_GT(head.response.getContentLength64(), 0);
	for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
		const Heard refused = get("/", method);
		EXPECT_EQ(refused.response.getStatus(), 405) << method;
		EXPECT_EQ(refused.response.get("Allow"), "GET, HEAD");
	}
}

TEST_F(TheServer, SendsNothingAgainToWhoeverHasIt)
{
	listen(anyPort());
	net::HTTPClientSession session("127.0.0.1", port);
	session.setKeepAlive(true);
	net::HTTPRequest request("GET", "/api/v1/issuers", "HTTP/1.1");
	request.set("If-None-Match", ask(session, request).response.get("ETag"));
	const Heard again = ask(session, request);
	EXPECT_EQ(again.response.getStatus(), 304);
	EXPECT_EQ(again.body, "");
}

TEST_F(TheServer, SpeaksTlsWhenItIsGivenACertificate)
{
	issuer::test::TestPki pki(temp.path());
	const issuer::test::Identity identity = pki.server();
	Settings settings{{"0.0.0.0", 0}, TlsFiles{identity.certificate, identity.key, {}}, false};
	listen(settings);
	EXPECT_THAT(server->url(), StartsWith("https://"));
	net::Context::Ptr context =
		new net::Context(net::Context::CLIENT_USE, "", "", pki.caFile(), net::Context::VERIFY_STRICT, 9, false);
	net::HTTPSClientSession session("127.0.0.1", port, context);
	EXPECT_EQ(ask(session, {"GET", "/readyz", "HTTP/1.1"}).response.getStatus(), 503);
}

TEST_F(TheServer, RefusesClientsWithoutACertificateWhenItAsksForOne)
{
	issuer::test::TestPki pki(temp.path());
	const issuer::test::Identity identity = pki.server();
	listen({{"127.0.0.1", 0}, TlsFiles{identity.certificate, identity.key, pki.caFile()}, false});
	const auto statusWith = [&](const issuer::test::Identity& client) {
		net::Context::Ptr context = new net::Context(net::Context::CLIENT_USE, client.key, client.certificate,
			pki.caFile(), net::Context::VERIFY_STRICT, 9, false);
		net::HTTPSClientSession session("127.0.0.1", port, context);
		return ask(session, {"GET", "/healthz", "HTTP/1.1"}).response.getStatus();
	};
	EXPECT_EQ(statusWith(pki.client()), 200);
	EXPECT_THROW(statusWith({}), Poco::Exception);
}

TEST_F(TheServer, SaysWhatIsWrongWithWhereItIsToListen)
{
	listen(anyPort());
	const auto why = [&](const Settings& settings) {
		const auto started = Server::start(settings, site);
		return started ? "it listens on " + (*started)->url() : started.error().text;
	};
	EXPECT_THAT(why({{"127.0.0.1", port}, {}, false}),
		HasSubstr("http cannot listen on 127.0.0.1:" + std::to_string(port) + ": "));
	EXPECT_THAT(why({{"0.0.0.0", 0}, {}, false}), HasSubstr("without TLS"));
	EXPECT_THAT(
		why({{"127.0.0.1", 0}, TlsFiles{temp.path() / "missing.pem", "missing.key", {}}, false}), HasSubstr("missing"));
}

TEST_F(TheServer, EndsWhileClientsHoldTheirConnections)
{
	listen(anyPort());
	net::HTTPClientSession kept("127.0.0.1", port);
	kept.setKeepAlive(true);
	EXPECT_EQ(ask(kept, {"GET", "/healthz", "HTTP/1.1"}).response.getStatus(), 200);
	net::StreamSocket silent(net::SocketAddress("127.0.0.1", port));
	silent.sendBytes("GET / HT", 8);
	server.reset();
	EXPECT_THROW(get("/healthz"), Poco::Exception);
}

} // namespace
} // namespace issuer::observe::web
