#include "observe/web/server.h"

#include "observe/metrics/metrics.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <Poco/InflatingStream.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SSLException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <array>
#include <gmock/gmock.h>
#include <sstream>

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

TEST_F(TheServer, SendsNothingAgainToAClientThatHasIt)
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
	EXPECT_THROW(static_cast<void>(get("/healthz")), Poco::Exception);
}

/// Clients that hold connections they do not use.
struct ServerInACrowd : TheServer
{
	void crowd(std::size_t count, const std::string& begun)
	{
		for (std::size_t i = 0; i < count; ++i) {
			held.emplace_back(net::SocketAddress("127.0.0.1", port));
			held.back().sendBytes(begun.data(), static_cast<int>(begun.size()));
		}
	}

	std::vector<net::StreamSocket> held;
};

TEST_F(ServerInACrowd, AnswersProbesHoweverManyClientsDripOrKeepTheirConnections)
{
	listen(anyPort());
	crowd(150, "GET / HT");                                         // never to be continued
	crowd(150, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); // and nothing more
	for (const char* probe : {"/healthz", "/metrics", "/healthz", "/metrics"}) {
		EXPECT_EQ(get(probe).response.getStatus(), 200) << probe;
	}
}

TEST_F(ServerInACrowd, HangsUpOnAClientThatDripsItsRequest)
{
	auto started = Server::start(anyPort(), site, {8, std::chrono::milliseconds(100), std::chrono::seconds(30)});
	ASSERT_TRUE(started);
	server = std::move(*started);
	port = Poco::URI(server->url()).getPort();
	crowd(1, "GET / HTTP/1.1\r\n");
	const auto drip = [&]() -> bool { // until it is refused
		try {
			held.front().sendBytes("X: y\r\n", 6);
			return !held.front().poll(Poco::Timespan(0, 5'000), net::Socket::SELECT_READ);
		}
		catch (const Poco::Exception&) {
			return false;
		}
	};
	while (drip()) {
	}
	EXPECT_EQ(get("/healthz").response.getStatus(), 200);
}

TEST_F(TheServer, OnLoopbackAnswersToNamesOfThisMachineAlone)
{
	listen(anyPort());
	const auto statusFor = [&](const std::string& host) {
		net::HTTPClientSession session("127.0.0.1", port);
		net::HTTPRequest request("GET", "/healthz", "HTTP/1.1");
		request.setHost(host);
		return ask(session, request).response.getStatus();
	};
	for (const char* host : {"localhost", "localhost:9464", "127.0.0.1:1", "[::1]:9464", "127.9.9.9"}) {
		EXPECT_EQ(statusFor(host), 200) << host;
	}
	for (const char* host : {"evil.example", "evil.example:9464", "10.0.0.1", "localhost.evil.example"}) {
		EXPECT_EQ(statusFor(host), 421) << host;
	}
}

TEST_F(TheServer, DoesNotTakeABodyForTheNextRequest)
{
	listen(anyPort());
	net::StreamSocket client(net::SocketAddress("127.0.0.1", port));
	const std::string hidden = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
	const std::string request =
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(hidden.size()) + "\r\n\r\n" +
		hidden;
	client.sendBytes(request.data(), static_cast<int>(request.size()));
	std::string said;
	std::array<char, 4096> block;
	try {
		for (int count = 0; (count = client.receiveBytes(block.data(), block.size())) > 0;) {
			said.append(block.data(), static_cast<std::size_t>(count));
		}
	}
	catch (const Poco::Exception&) { // the rest was refused
	}
	EXPECT_THAT(said, HasSubstr("200 OK"));
	EXPECT_THAT(said, testing::Not(HasSubstr("issuer_host_info")));
}

TEST_F(TheServer, PacksLargeRepliesForClientsThatTakeThemSo)
{
	listen(anyPort());
	net::HTTPClientSession session("127.0.0.1", port);
	net::HTTPRequest request("GET", "/", "HTTP/1.1");
	request.set("Accept-Encoding", "gzip");
	const Heard packed = ask(session, request);
	EXPECT_EQ(packed.response.get("Content-Encoding", ""), "gzip");
	EXPECT_LT(packed.body.size(), get("/").body.size() / 2);
	std::istringstream stream(packed.body);
	Poco::InflatingInputStream inflating(stream, Poco::InflatingStreamBuf::STREAM_GZIP);
	EXPECT_EQ(std::string(std::istreambuf_iterator<char>(inflating), {}), get("/").body);
}

TEST_F(TheServer, PacksNothingForAClientThatRefusesIt)
{
	listen(anyPort());
	net::HTTPClientSession session("127.0.0.1", port);
	net::HTTPRequest refuses("GET", "/", "HTTP/1.1");
	refuses.set("Accept-Encoding", "gzip;q=0, *");
	EXPECT_FALSE(ask(session, refuses).response.has("Content-Encoding"));
	net::HTTPRequest wants("GET", "/healthz", "HTTP/1.1");
	wants.set("Accept-Encoding", "gzip, identity;q=0");
	EXPECT_EQ(ask(session, wants).response.get("Content-Encoding", ""), "gzip");
}

TEST_F(TheServer, TellsCachesThatAnAnswerOfAnySizeDependsOnTheEncodingsThatAreTaken)
{
	listen(anyPort());
	net::HTTPClientSession session("127.0.0.1", port);
	for (const char* const path : {"/", "/healthz"}) {
		for (const char* const encodings : {"", "gzip", "gzip, identity;q=0"}) {
			net::HTTPRequest request("GET", path, "HTTP/1.1");
			request.set("Accept-Encoding", encodings);
			EXPECT_EQ(ask(session, request).response.get("Vary", ""), "Accept-Encoding") << path << ' ' << encodings;
		}
	}
}

TEST_F(TheServer, ReadsItsCertificateAnewWhenItIsReplacedAndSaysAtTheStartWhenTheKeyIsAnothers)
{
	issuer::test::TestPki pki(temp.path());
	const issuer::test::Identity first = pki.server();
	const std::filesystem::path certificate = temp.path() / "served.pem";
	const std::filesystem::path key = temp.path() / "served.key";
	std::filesystem::copy_file(first.certificate, certificate);
	std::filesystem::copy_file(first.key, key);
	listen({{"127.0.0.1", 0}, TlsFiles{certificate, key, {}}, false});
	const auto serial = [&] {
		net::Context::Ptr context =
			new net::Context(net::Context::CLIENT_USE, "", "", pki.caFile(), net::Context::VERIFY_STRICT, 9, false);
		net::HTTPSClientSession session("127.0.0.1", port, context);
		ask(session, {"GET", "/healthz", "HTTP/1.1"});
		return session.serverCertificate().serialNumber();
	};
	const std::string before = serial();
	const issuer::test::Identity client = pki.client();
	const auto replace = [](const std::filesystem::path& with, const std::filesystem::path& file) {
		std::filesystem::copy_file(with, file.string() + ".next");
		std::filesystem::rename(file.string() + ".next", file);
	};
	replace(client.certificate, certificate); // half of it: they do not fit
	EXPECT_EQ(serial(), before);
	EXPECT_EQ(serial(), before);
	const issuer::test::Identity next = pki.issue("next", {});
	replace(next.certificate, certificate);
	replace(next.key, key);
	EXPECT_NE(serial(), before); // already the first connection
	replace(client.key, key);
	EXPECT_THAT(Server::start({{"127.0.0.1", 0}, TlsFiles{certificate, key, {}}, false}, site).error().text,
		HasSubstr("does not belong to the certificate"));
}

} // namespace
} // namespace issuer::observe::web
