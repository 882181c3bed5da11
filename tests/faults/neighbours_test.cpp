#include "child_process.h"
#include "exchange_fixture.h"
#include "wire/wire.h"

#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sstream>
#include <thread>

/// Proxies and balancers before a Vault in real networks, as Debian ships them: a CONNECT proxy, a load balancer, a web
/// server.
namespace issuer::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using vault::renewal::Trouble;
using vault::transport::Clients;
using vault::transport::Settings;

/// Returns the path of a server program, also where PATH has no /usr/sbin; empty: it is not installed.
std::filesystem::path locate(const std::string& program)
{
	const auto found = findOnPath({program});
	const auto system = std::filesystem::path("/usr/sbin") / program;
	return !found.empty() || !std::filesystem::exists(system) ? found : system;
}

std::string contentOf(const std::filesystem::path& file)
{
	std::ostringstream text;
	text << std::ifstream(file).rdbuf();
	return text.str();
}

bool accepts(std::uint16_t port)
{
	const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
	::close(fd);
	return connected;
}

/// A server program of Debian's on a port that it cannot choose by itself: if another process takes the port before the
/// program starts, the next one is tried.
class Neighbour
{
public:
	using Configure = std::function<std::string(const std::filesystem::path& folder, std::uint16_t port)>;

	Neighbour(const std::string& program, const std::vector<std::string>& options, const Configure& configure)
	{
		for (int attempt = 0; attempt < 5 && !_program; ++attempt) {
			_port = closedPort();
			const auto file = _folder.write("configuration", configure(_folder.path(), _port));
			auto arguments = options;
			arguments.push_back(file);
			_program = std::make_unique<ChildProcess>(locate(program), arguments);
			while (!accepts(_port) && !_program->hasEnded()) {
				std::this_thread::yield();
			}
			if (_program->hasEnded()) {
				_program.reset();
			}
		}
		if (!_program) {
			throw std::runtime_error(program + " does not start");
		}
	}

	[[nodiscard]] std::uint16_t port() const { return _port; }
	[[nodiscard]] std::string written(const std::string& name) const { return contentOf(_folder.path() / name); }

private:
	TempDir _folder;
	std::uint16_t _port = 0;
	std::unique_ptr<ChildProcess> _program;
};

std::string at(const std::string& scheme, std::uint16_t port)
{
	return scheme + "://127.0.0.1:" + std::to_string(port);
}

Settings trusting(const std::string& address)
{
	auto settings = settingsFor({address});
	settings.tls.caFile = Pki::shared().authority.caFile();
	return settings;
}

/// A renewal that the server behind has granted.
void expectRenewed(const ExchangeResult& outcome)
{
	ASSERT_TRUE(outcome.has_value()) << told(outcome);
	EXPECT_EQ(outcome->status, 200);
}

/// A page that says nothing about the token.
void expectNoVerdict(ExchangeResult outcome, int status)
{
	ASSERT_TRUE(outcome.has_value()) << told(outcome);
	EXPECT_EQ(outcome->status, status);
	const auto answer = vault::wire::classify(vault::renewal::Operation::renew, *outcome, "");
	EXPECT_EQ(std::get<Trouble>(answer).kind, Trouble::Kind::serverAway);
}

#define ISSUER_WANTS(program, package)                                                                                 \
	if (locate(program).empty()) {                                                                                     \
		GTEST_SKIP() << program << " is not installed (package " << package << ")";                                    \
	}

Neighbour tinyproxy(std::uint16_t allowed)
{
	return Neighbour("tinyproxy", {"-d", "-c"}, [&](const std::filesystem::path& folder, std::uint16_t port) {
		return "Port " + std::to_string(port) + "\nListen 127.0.0.1\nAllow 127.0.0.1\nMaxClients 20\nLogLevel Info\n" +
			   "LogFile \"" + (folder / "log").string() + "\"\nConnectPort " + std::to_string(allowed) + "\n";
	});
}

TEST(Tinyproxy, TunnelsToAServerThatIsVerifiedBehindItAndLearnsNoToken)
{
	ISSUER_WANTS("tinyproxy", "tinyproxy-bin");
	FaultServer server({.tls = Pki::shared().server});
	const auto proxy = tinyproxy(server.port());
	auto settings = trusting(server.address());
	settings.proxy = at("http", proxy.port());
	const auto client = Clients().get(settings);
	expectRenewed(renew(*client));
	expectRenewed(renew(*client));
	EXPECT_EQ(server.connections(), 1);
	EXPECT_THAT(proxy.written("log"), testing::AllOf(HasSubstr("CONNECT"), Not(HasSubstr(canary))));
}

TEST(Tinyproxy, CarriesPlainHttp)
{
	ISSUER_WANTS("tinyproxy", "tinyproxy-bin");
	FaultServer server;
	const auto proxy = tinyproxy(server.port());
	auto settings = settingsFor({server.address()});
	settings.proxy = at("http", proxy.port());
	expectRenewed(renew(settings));
	EXPECT_THAT(server.received(), HasSubstr(canary));
}

TEST(Tinyproxy, ThatRefusesToTunnelIsNamedAndGetsNoToken)
{
	ISSUER_WANTS("tinyproxy", "tinyproxy-bin");
	FaultServer server({.tls = Pki::shared().server});
	const auto proxy = tinyproxy(closedPort());
	auto settings = trusting(server.address());
	settings.proxy = at("http", proxy.port());
	const auto outcome = renew(settings);
	ASSERT_FALSE(outcome.has_value());
	EXPECT_THAT(outcome.error().text, testing::AllOf(HasSubstr(std::to_string(proxy.port())), HasSubstr("403")));
	EXPECT_EQ(server.received(), "");
}

/// TLS with client certificates at the balancer, a plain server behind it.
Neighbour haproxy(std::uint16_t server, const std::string& more = "")
{
	return Neighbour("haproxy", {"-db", "-f"}, [&](const std::filesystem::path& folder, std::uint16_t port) {
		const auto& pki = Pki::shared();
		std::ofstream(folder / "both.pem") << contentOf(pki.server.certificate) << contentOf(pki.server.key);
		return "defaults\n  mode http\n  retries 0\n  timeout connect 5s\n  timeout client 60s\n  timeout server "
			   "60s\n" +
			   more + "frontend vault\n  bind 127.0.0.1:" + std::to_string(port) + " ssl crt " +
			   (folder / "both.pem").string() + " verify required ca-file " + pki.authority.caFile().string() +
			   "\n  default_backend servers\n" + "backend servers\n  server one 127.0.0.1:" + std::to_string(server) +
			   "\n";
	});
}

Settings withClientCertificate(const std::string& address)
{
	static const Identity client = Pki::shared().authority.client();
	auto settings = trusting(address);
	settings.tls.clientCert = client.certificate;
	settings.tls.clientKey = client.key;
	return settings;
}

TEST(Haproxy, WantsTheClientCertificateAndKeepsTheConnection)
{
	ISSUER_WANTS("haproxy", "haproxy");
	FaultServer server;
	const auto balancer = haproxy(server.port());
	const auto client = Clients().get(withClientCertificate(at("https", balancer.port())));
	expectRenewed(renew(*client));
	expectRenewed(renew(*client));
	const auto without = renew(trusting(at("https", balancer.port())));
	ASSERT_FALSE(without.has_value());
	EXPECT_EQ(without.error().kind, ExchangeError::Kind::tls) << told(without);
}

TEST(Haproxy, WithADeadServerBehindItGivesAPageThatIsNoVerdict)
{
	ISSUER_WANTS("haproxy", "haproxy");
	const auto balancer = haproxy(closedPort());
	expectNoVerdict(renew(withClientCertificate(at("https", balancer.port()))), 503);
}

TEST(Haproxy, ThatClosesIdleConnectionsAtOnceCostsNoRenewal)
{
	ISSUER_WANTS("haproxy", "haproxy");
	FaultServer server;
	const auto balancer = haproxy(server.port(), "  timeout http-keep-alive 1\n");
	const auto client = Clients().get(withClientCertificate(at("https", balancer.port())));
	for (int i = 0; i < 20; ++i) {
		expectRenewed(renew(*client));
	}
}

Neighbour nginx(std::uint16_t server, const std::string& more = "")
{
	return Neighbour("nginx", {"-e", "/dev/null", "-c"}, [&](const std::filesystem::path& folder, std::uint16_t port) {
		const auto& pki = Pki::shared();
		const auto in = [&](const char* name) { return (folder / name).string() + ";\n"; };
		return "daemon off; master_process off; error_log " + in("error.log") + "pid " + in("pid") +
			   "events {}\nhttp {\naccess_log " + in("log") + "client_body_temp_path " + in("body") +
			   "proxy_temp_path " + in("proxy") + "fastcgi_temp_path " + in("fastcgi") + "uwsgi_temp_path " +
			   in("uwsgi") + "scgi_temp_path " + in("scgi") + "server {\nlisten 127.0.0.1:" + std::to_string(port) +
			   " ssl;\nssl_certificate " + pki.server.certificate.string() + ";\nssl_certificate_key " +
			   pki.server.key.string() + ";\n" + more +
			   "location /vault/ { proxy_pass http://127.0.0.1:" + std::to_string(server) + "/; }\n}\n}\n";
	});
}

TEST(Nginx, UnderAPathOfItsOwn)
{
	ISSUER_WANTS("nginx", "nginx");
	FaultServer server;
	const auto front = nginx(server.port());
	expectRenewed(renew(trusting(at("https", front.port()) + "/vault/")));
	EXPECT_THAT(server.received(), HasSubstr("POST /v1/auth/token/renew-self HTTP/1."));
	EXPECT_THAT(front.written("log"), Not(HasSubstr(canary)));
}

TEST(Nginx, ThatEndsEachConnectionAfterOneRequestCostsNoRenewal)
{
	ISSUER_WANTS("nginx", "nginx");
	FaultServer server;
	const auto front = nginx(server.port(), "keepalive_requests 1;\n");
	const auto client = Clients().get(trusting(at("https", front.port()) + "/vault"));
	for (int i = 0; i < 5; ++i) {
		expectRenewed(renew(*client));
	}
	EXPECT_EQ(server.requests(), 5);
}

TEST(Nginx, WithADeadServerBehindItGivesAPageThatIsNoVerdict)
{
	ISSUER_WANTS("nginx", "nginx");
	const auto front = nginx(closedPort());
	expectNoVerdict(renew(trusting(at("https", front.port()) + "/vault")), 502);
}

TEST(Nginx, SpokenToInPlainHttpExplainsItself)
{
	ISSUER_WANTS("nginx", "nginx");
	FaultServer server;
	const auto front = nginx(server.port());
	auto outcome = renew(settingsFor({at("http", front.port())}));
	ASSERT_TRUE(outcome.has_value()) << told(outcome);
	const auto answer = vault::wire::classify(vault::renewal::Operation::renew, *outcome, "");
	EXPECT_EQ(std::get<Trouble>(answer).kind, Trouble::Kind::configuration);
	EXPECT_THAT(std::get<Trouble>(answer).detail, HasSubstr("write https://"));
}

} // namespace
} // namespace issuer::test
