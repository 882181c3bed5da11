#include "fault_server/listening.h"
#include "tls_fixture.h"
#include "transport/connection.h"
#include "transport/dial.h"
#include "transport/trust.h"

#include <atomic>
#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>

/// Servers that the token is sent to over TLS, and servers that it is not sent to.
namespace issuer::test {
namespace {

/// A server that says the same to all clients, before it is asked, and closes.
class Greeter
{
public:
	explicit Greeter(std::string greeting)
		: _listener(listenOnLoopback("127.0.0.1", 8, _port)), _thread([this, greeting = std::move(greeting)] {
			  for (int fd = ::accept(_listener, nullptr, nullptr); fd >= 0;
				   fd = ::accept(_listener, nullptr, nullptr)) {
				  ::send(fd, greeting.data(), greeting.size(), MSG_NOSIGNAL);
				  ::shutdown(fd, SHUT_WR);
				  char ignored[4096];
				  while (::recv(fd, ignored, sizeof(ignored), 0) > 0) { // so that closing resets nothing
				  }
				  ::close(fd);
			  }
		  })
	{
	}
	~Greeter()
	{
		::shutdown(_listener, SHUT_RDWR);
		_thread.join();
		::close(_listener);
	}
	Greeter(const Greeter&) = delete;
	Greeter& operator=(const Greeter&) = delete;

	[[nodiscard]] std::uint16_t port() const { return _port; }

private:
	std::uint16_t _port = 0;
	int _listener;
	std::thread _thread;
};

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using vault::transport::Clients;
using Kind = ExchangeError::Kind;

TEST(Tls, AVerifiedServerGetsTheToken)
{
	FaultServer server(with(Pki::shared().server));
	for (const auto* host : {"localhost", "127.0.0.1"}) {
		const auto reply = renew(trusting({server.address(host)}));
		ASSERT_TRUE(reply.has_value()) << told(reply);
	}
	EXPECT_THAT(server.received(), HasSubstr(canary));
}

TEST(Tls, TheCertificatesOfTheseTestsPassStrictVerification)
{
	auto& pki = Pki::shared();
	const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), &X509_STORE_free);
	X509_STORE_load_file(store.get(), pki.authority.caFile().c_str());
	X509_STORE_set_flags(store.get(), X509_V_FLAG_X509_STRICT);
	// No FILE: GCC 14 warns of the attributes of std::fclose's type.
	const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(pki.server.certificate.c_str(), "r"), &BIO_free);
	const std::unique_ptr<X509, decltype(&X509_free)> leaf(
		PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
	const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> verification(
		X509_STORE_CTX_new(), &X509_STORE_CTX_free);
	X509_STORE_CTX_init(verification.get(), store.get(), leaf.get(), nullptr);
	EXPECT_EQ(X509_verify_cert(verification.get()), 1)
		<< X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get()));
}

TEST(Tls, KeepsConnections)
{
	FaultServer server(with(Pki::shared().server));
	const auto client = Clients().get(trusting({server.address()}));
	for (int i = 0; i < 3; ++i) {
		ASSERT_TRUE(renew(*client).has_value());
	}
	EXPECT_EQ(server.connections(), 1u);
}

TEST(Tls, ACertificateForAnotherNameIsRefused)
{
	FaultServer server(with(Pki::shared().authority.issue(
		"other", {.commonName = "localhost", .dnsNames = {"other.example"}, .addresses = {"192.0.2.1"}})));
	expectRefused(
		server, trusting({server.address("localhost")}), "certificate is for other.example, 192.0.2.1, not localhost");
	expectRefused(server, trusting({server.address("127.0.0.1")}), "not 127.0.0.1");
}

TEST(Tls, TheConfiguredServerNameCountsInsteadOfTheHost)
{
	FaultServer server(with(Pki::shared().authority.issue("named", {.dnsNames = {"vault.internal"}, .addresses = {}})));
	auto settings = trusting({server.address()});
	settings.tls.serverName = "vault.internal";
	const auto reply = renew(settings);
	EXPECT_TRUE(reply.has_value()) << told(reply);
	settings.tls.serverName = "vault.external";
	expectRefused(server, settings, "not vault.external");
}

TEST(Tls, AnUnknownAuthorityIsRefused)
{
	const TempDir directory;
	TestPki stranger(directory.path());
	FaultServer server(with(stranger.server()));
	expectRefused(server, trusting({server.address()}), "but not with the key that this authority has in CA file ");
	expectRefused(server, settingsFor({server.address()}),
		"signed by «Issuer Test CA», which neither the server sends nor the system's list of authorities holds");
}

TEST(Tls, AnExpiredCertificateIsRefusedWithItsDate)
{
	FaultServer server(with(Pki::shared().authority.expiredServer()));
	expectRefused(server, trusting({server.address()}), "certificate expired on 20");
}

TEST(Tls, ASelfSignedCertificateIsRefused)
{
	FaultServer server(with(Pki::shared().authority.selfSignedServer()));
	expectRefused(server, trusting({server.address()}), "self-signed");
}

TEST(Tls, ProtocolsBefore12AreRefused)
{
	auto options = with(Pki::shared().server);
	options.newestTls = TLS1_1_VERSION;
	FaultServer server(options);
	expectRefused(server, trusting({server.address()}), "TLS 1.2");
	options.newestTls = TLS1_2_VERSION;
	FaultServer newEnough(options);
	EXPECT_TRUE(renew(trusting({newEnough.address()})).has_value());
}

TEST(Tls, APlainServerIsRefusedAndSeesNoToken)
{
	FaultServer server;
	server.setFault({Fault::What::garbage, 0});
	const auto reply = renew(trusting({"https://127.0.0.1:" + std::to_string(server.port())}), std::chrono::seconds(1));
	ASSERT_FALSE(reply.has_value());
	EXPECT_THAT(server.received(), Not(HasSubstr(canary)));
}

TEST(Tls, AServerThatGreetsInAnotherProtocolIsNamedAsSuch)
{
	for (const char* greeting : {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "220 mail ready\r\n"}) {
		const Greeter server(greeting);
		const auto reply = renew(trusting({"https://127.0.0.1:" + std::to_string(server.port())}));
		ASSERT_FALSE(reply.has_value());
		EXPECT_EQ(reply.error().kind, Kind::tls);
		EXPECT_THAT(reply.error().text, HasSubstr("answers, but not in TLS")) << greeting;
	}
}

TEST(Tls, AServerThatDelaysItsHandshakeIsVerifiedAllTheSame)
{
	auto options = with(Pki::shared().authority.wrongHostServer());
	options.slowness = std::chrono::milliseconds(300);
	FaultServer server(options);
	const auto settings = trusting({server.address()});
	// Past the deadline, and within it: Poco's own check is passed by in the first case if the handshake is not lazy.
	EXPECT_EQ(renew(settings, std::chrono::milliseconds(150)).error().kind, Kind::timeout);
	expectRefused(server, settings, "not 127.0.0.1");
	EXPECT_EQ(server.received(), "");
}

TEST(Tls, AClientCertificateIsShownAndItsAbsenceExplained)
{
	auto& authority = Pki::shared().authority;
	auto options = with(Pki::shared().server);
	options.clientCa = authority.caFile();
	FaultServer server(options);

	auto settings = trusting({server.address()});
	const auto without = renew(settings);
	ASSERT_FALSE(without.has_value());
	EXPECT_THAT(without.error().text, HasSubstr("asks for a client certificate; set tls.client_cert"));
	EXPECT_EQ(server.received(), "");

	const TempDir elsewhere;
	const auto unknown = TestPki(elsewhere.path()).client();
	settings.tls.clientCert = unknown.certificate;
	settings.tls.clientKey = unknown.key;
	const auto refused = renew(settings);
	ASSERT_FALSE(refused.has_value());
	EXPECT_EQ(refused.error().kind, Kind::tls);
	EXPECT_THAT(refused.error().text, HasSubstr("does not trust the authority that signed it"));
	EXPECT_EQ(server.received(), "");

	const auto client = authority.client();
	settings.tls.clientCert = client.certificate;
	settings.tls.clientKey = client.key;
	const auto reply = renew(settings);
	EXPECT_TRUE(reply.has_value()) << told(reply);
}

TEST(Tls, AStandbysRedirectToItsVerifiedLeaderIsFollowed)
{
	FaultServer standby(with(Pki::shared().server));
	FaultServer leader(with(Pki::shared().server));
	standby.setReply(httpReply(307, "", "Location: " + leader.address("localhost") + "/v1/auth/token/renew-self\r\n"));
	const auto reply = renew(trusting({standby.address()}));
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_EQ(reply->status, 200);
	EXPECT_THAT(leader.received(), HasSubstr(canary));
}

TEST(Tls, ARedirectToAServerThatDoesNotVerifyIsNot)
{
	FaultServer standby(with(Pki::shared().server));
	FaultServer impostor(with(Pki::shared().authority.wrongHostServer()));
	standby.setReply(httpReply(307, "", "Location: " + impostor.address() + "/v1/auth/token/renew-self\r\n"));
	const auto reply = renew(trusting({standby.address()}));
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().kind, Kind::tls);
	EXPECT_EQ(impostor.received(), "");
}

TEST(Tls, ARedirectToPlainHttpIsNotFollowed)
{
	FaultServer standby(with(Pki::shared().server));
	FaultServer plain;
	standby.setReply(httpReply(307, "", "Location: " + plain.address() + "/v1/auth/token/renew-self\r\n"));
	const auto reply = renew(trusting({standby.address(), plain.address()}));
	EXPECT_EQ(reply->status, 307);
	EXPECT_EQ(plain.connections(), 0u);
}

TEST(Tls, GoesThroughATunnelAndVerifiesTheServerBehindIt)
{
	auto options = with(Pki::shared().authority.issue("behind", {.dnsNames = {"vault.example"}, .addresses = {}}));
	options.tunnel = true;
	FaultServer proxy(options);
	auto settings = trusting({"https://vault.example:8200"});
	settings.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
	const auto client = Clients().get(settings);
	for (int i = 0; i < 2; ++i) {
		const auto reply = renew(*client);
		ASSERT_TRUE(reply.has_value()) << told(reply);
	}
	EXPECT_EQ(proxy.connections(), 1u);
	EXPECT_THAT(proxy.received(), testing::StartsWith("CONNECT vault.example:8200 HTTP/1.1\r\n"));

	settings.addresses.front().host = "other.example";
	const auto reply = renew(settings);
	ASSERT_FALSE(reply.has_value());
	EXPECT_EQ(reply.error().kind, Kind::tls);
}

/// Every name is this machine.
std::shared_ptr<vault::transport::Resolver> resolvingEverything()
{
	return std::make_shared<vault::transport::Resolver>([](const std::string&) {
		return vault::transport::Resolver::Found{vault::transport::numericAddresses("127.0.0.1"), ""};
	});
}

TEST(Tls, TheDotAtTheEndOfAHostIsTheResolvers)
{
	FaultServer server(with(Pki::shared().authority.issue("dotted", {.dnsNames = {"vault.example"}, .addresses = {}})));
	const auto client = Clients(resolvingEverything()).get(trusting({server.address("vault.example.")}));
	const auto reply = renew(*client);
	ASSERT_TRUE(reply.has_value()) << told(reply);
	EXPECT_EQ(server.askedName(), "vault.example");
}

TEST(Tls, NamesAreAskedForAndNumbersAreNot)
{
	FaultServer server(with(Pki::shared().server));
	ASSERT_TRUE(renew(trusting({server.address("localhost")})).has_value());
	EXPECT_EQ(server.askedName(), "localhost");
	ASSERT_TRUE(renew(trusting({server.address("127.0.0.1")})).has_value());
	EXPECT_EQ(server.askedName(), "");
	auto named = trusting({server.address("127.0.0.1")});
	named.tls.serverName = "localhost";
	ASSERT_TRUE(renew(named).has_value());
	EXPECT_EQ(server.askedName(), "localhost");
}

TEST(Tls, AConnectionThatIsNoLongerNeededEndsWithAGoodbye)
{
	FaultServer server(with(Pki::shared().server));
	ASSERT_TRUE(renew(trusting({server.address()})).has_value());
	EXPECT_TRUE(server.awaitGoodbyes(1));
}

/// Blocks until one of `addresses` is connected; no socket if none is.
vault::Descriptor connectedTo(
	const std::vector<vault::transport::SocketAddress>& addresses, vault::transport::Deadline deadline)
{
	auto connecting = [](const auto& to,
						  auto until) -> vault::Task<vault::Expected<vault::Descriptor, vault::ExchangeError>> {
		auto dialled = co_await vault::transport::dial(to, until);
		co_return std::move(dialled.socket);
	};
	return vault::transport::blockingly(connecting(addresses, deadline)).value();
}

std::atomic<int> sigpipes = 0;

TEST(Tls, NoPeerThatHasGoneRaisesSigpipe)
{
	sigset_t sigpipe;
	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigset_t maskBefore;
	pthread_sigmask(SIG_UNBLOCK, &sigpipe, &maskBefore); // Poco blocks it in the thread that loads it
	const auto handlerBefore = std::signal(SIGPIPE, [](int) { ++sigpipes; });
	const auto soon = [] { return std::chrono::steady_clock::now() + patience; };
	const auto address = vault::transport::Address::parse("https://127.0.0.1").value();
	vault::transport::Trust trust(std::make_shared<vault::runtime::Helpers>());
	const auto identity = trust.identity(trusting({}).tls);
	const auto setup = vault::transport::blockingly(identity->ready(soon())).value();
	{
		auto server = std::make_unique<FaultServer>(with(Pki::shared().server));
		auto addresses = vault::transport::numericAddresses("127.0.0.1");
		addresses.front().setPort(server->port());
		auto socket = connectedTo(addresses, soon());
		ASSERT_TRUE(static_cast<bool>(socket));
		const int fd = socket.get();
		vault::transport::Connection connection(std::move(socket), address, "peer");
		ASSERT_TRUE(vault::transport::blockingly(connection.startTls(setup, "localhost", soon())).has_value());
		char room[4096];
		ASSERT_TRUE(vault::transport::blockingly(connection.send("GET / HTTP/1.1\r\n\r\n", soon())).has_value());
		ASSERT_TRUE(vault::transport::blockingly(connection.receive(room, soon())).has_value());
		server.reset(); // has read everything, so that it closes without a reset
		const auto lost = vault::transport::blockingly(connection.send("into the void", soon()));
		ASSERT_TRUE(lost.has_value()) << "the server tells only now that it is gone";
		pollfd gone{fd, 0, 0};
		ASSERT_EQ(::poll(&gone, 1, std::chrono::milliseconds(patience).count()), 1);
	} // says goodbye to a socket that is reset
	std::signal(SIGPIPE, handlerBefore);
	pthread_sigmask(SIG_SETMASK, &maskBefore, nullptr);
	EXPECT_EQ(sigpipes, 0);
}

TEST(Tls, ABodyWithoutALengthCountsOnlyWithAProperGoodbye)
{
	FaultServer server(with(Pki::shared().server));
	const std::string reply = "HTTP/1.1 200 OK\r\n\r\n{\"ttl\":3600}";
	server.setReply(reply);
	server.setFault({Fault::What::close, reply.size() - 4});
	const auto cut = renew(trusting({server.address()}));
	ASSERT_FALSE(cut.has_value());
	EXPECT_EQ(cut.error().kind, Kind::network);
}

} // namespace
} // namespace issuer::test
