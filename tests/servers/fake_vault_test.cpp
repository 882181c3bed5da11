#include "capture.h"
#include "fake_vault/fake_vault.h"
#include "temp_dir.h"

#include <gmock/gmock.h>

#include <fstream>
#include <future>
#include <iterator>
#include <memory>
#include <optional>

#include <Poco/JSON/Parser.h>
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

/// The fake as a server: connections, faults, outages, and its controls. Its answers are judged by the captures and the
/// answers that a real server gives to the same tests.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using Poco::Net::Context;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

/// A client with one connection.
class Client
{
public:
	explicit Client(const FakeVault& vault, const Context::Ptr& tls = {})
	{
		const Poco::URI address(vault.address());
		if (tls) {
			_session = std::make_unique<Poco::Net::HTTPSClientSession>(address.getHost(), address.getPort(), tls);
		}
		else {
			_session = std::make_unique<Poco::Net::HTTPClientSession>(address.getHost(), address.getPort());
		}
		_session->setTimeout(Poco::Timespan(60, 0));
		_session->setKeepAlive(true);
	}

	ApiReply ask(
		const std::string& method, const std::string& path, const std::string& token = "", const std::string& body = "")
	{
		Poco::Net::HTTPRequest request(method, path, "HTTP/1.1");
		request.setKeepAlive(true);
		request.setContentLength64(static_cast<Poco::Int64>(body.size()));
		request.set("X-Vault-Token", token);
		_session->sendRequest(request) << body;
		Poco::Net::HTTPResponse response;
		ApiReply reply;
		Poco::StreamCopier::copyToString(_session->receiveResponse(response), reply.body);
		reply.status = response.getStatus();
		reply.headers.assign(response.begin(), response.end());
		return reply;
	}

	ApiReply renew(const std::string& token) { return ask("POST", "/v1/auth/token/renew-self", token, "{}"); }
	ApiReply lookUp(const std::string& token) { return ask("GET", "/v1/auth/token/lookup-self", token); }
	int control(const std::string& path, const std::string& body) { return ask("POST", path, "", body).status; }

private:
	std::unique_ptr<Poco::Net::HTTPClientSession> _session;
};

bool isRefused(const FakeVault& vault)
{
	try {
		(void)Client(vault).lookUp("");
		return false;
	}
	catch (const Poco::Net::ConnectionRefusedException&) {
		return true;
	}
	catch (const Poco::Exception&) { // it was let in and cut off
		return false;
	}
}

class FakeVaultTest : public testing::Test
{
protected:
	FakeVault vault;
	std::string token = vault.api().createToken({.ttl = 60s, .displayName = "token-alpha"});
	Client client{vault};
};

TEST_F(FakeVaultTest, KeepsAConnectionAliveOverManyRequests)
{
	for (int i = 0; i < 100; ++i) {
		ASSERT_EQ(client.renew(token).status, 200);
	}
	EXPECT_EQ(vault.log().count("renew-self"), 100);
}

TEST_F(FakeVaultTest, LogsCallsByNameWithoutTheToken)
{
	client.lookUp(token);
	client.renew("s.unknown");
	const auto entries = vault.log().entries();
	EXPECT_THAT(
		entries, ElementsAre(AllOf(Field(&RequestLog::Entry::call, "lookup-self"),
								 Field(&RequestLog::Entry::who, "token-alpha"), Field(&RequestLog::Entry::status, 200)),
					 AllOf(Field(&RequestLog::Entry::call, "renew-self"), Field(&RequestLog::Entry::who, ""),
						 Field(&RequestLog::Entry::status, 403))));
	EXPECT_THAT(client.ask("GET", "/fake/log").body, testing::Not(HasSubstr(token)));
}

TEST_F(FakeVaultTest, RefusesConnectionsInAnOutageAndComesBackAtTheSameAddress)
{
	const auto address = vault.address();
	vault.stop();
	EXPECT_TRUE(isRefused(vault));
	vault.start();
	EXPECT_EQ(vault.address(), address);
	EXPECT_EQ(Client(vault).renew(token).status, 200) << "tokens outlive an outage";
}

TEST_F(FakeVaultTest, CutsConnectionsOffWhenItStops)
{
	vault.faults().add(faults::hang());
	auto asked = std::async([&] { return client.renew(token).status; });
	Client second(vault);
	auto alsoAsked = std::async([&] { return second.renew(token).status; });
	ASSERT_TRUE(vault.faults().waitForStrikes(2));
	vault.stop();
	EXPECT_THROW(asked.get(), Poco::Exception);
	EXPECT_THROW(alsoAsked.get(), Poco::Exception);
}

TEST_F(FakeVaultTest, AnswersHangingRequestsWhenTheFaultIsCleared)
{
	vault.faults().add(faults::hang());
	auto asked = std::async([&] { return client.renew(token).status; });
	ASSERT_TRUE(vault.faults().waitForStrikes(1));
	vault.api().revoke(token);
	Client(vault).ask("DELETE", "/fake/faults");
	EXPECT_EQ(asked.get(), 403) << "as things stand then, not when it was asked";
}

TEST_F(FakeVaultTest, DoesTheWorkOfAReplyThatIsLost)
{
	vault.faults().add(faults::lose());
	EXPECT_THROW(client.ask("POST", "/v1/auth/token/renew-self", token, R"({"increment":"2h"})"), Poco::Exception);
	vault.faults().clear();
	EXPECT_THAT(Client(vault).lookUp(token).body, HasSubstr("\"ttl\":7"));
}

TEST_F(FakeVaultTest, DoesNotDoTheWorkOfAConnectionThatItCloses)
{
	vault.faults().add(faults::close());
	EXPECT_THROW(client.ask("POST", "/v1/auth/token/renew-self", token, R"({"increment":"2h"})"), Poco::Exception);
	vault.faults().clear();
	EXPECT_THAT(Client(vault).lookUp(token).body, testing::Not(HasSubstr("last_renewal")));
}

TEST_F(FakeVaultTest, DripsAReplyByteByByte)
{
	vault.faults().add(faults::drip(1ms));
	EXPECT_EQ(client.renew(token).status, 200);
}

TEST_F(FakeVaultTest, StrikesTheCallsAndTheNumberOfTimesThatWereAskedFor)
{
	Fault fault = faults::retryAfter(503, "not now", "7");
	fault.call = "renew-self";
	fault.times = 2;
	vault.faults().add(fault);
	EXPECT_EQ(client.lookUp(token).status, 200);
	const auto struck = client.renew(token);
	EXPECT_EQ(struck.status, 503);
	EXPECT_EQ(struck.header("Retry-After"), "7");
	EXPECT_EQ(client.renew(token).status, 503);
	EXPECT_EQ(client.renew(token).status, 200);
}

TEST_F(FakeVaultTest, WrapsRepliesThatWereNotToBeWrapped)
{
	vault.faults().add(faults::wrapped());
	EXPECT_THAT(client.renew(token).body, AllOf(HasSubstr("\"auth\":null"), HasSubstr("\"wrap_info\":{")));
}

TEST_F(FakeVaultTest, CannedRepliesAreThoseOfTheCaptures)
{
	EXPECT_EQ(differences(loadCapture("revoked/userpass-user-deleted-renew").reply, *faults::noContent().reply), "");
	EXPECT_EQ(differences(loadCapture("renew-self/unknown-token").reply, *faults::tokenRefused().reply), "");
	EXPECT_EQ(differences(loadCapture("renew-self/no-default-policy").reply, *faults::policyRefused().reply), "");
	EXPECT_EQ(differences(loadCapture("wall/renew-past-max").reply, *faults::pastMaxTtl().reply), "");
}

TEST_F(FakeVaultTest, IsControlledOverHttp)
{
	EXPECT_EQ(client.control("/fake/faults", R"({"fault":"proxy-page","call":"renew-self","times":1})"), 204);
	EXPECT_EQ(client.renew(token).header("Content-Type"), "text/html");
	EXPECT_EQ(client.control("/fake/node", R"({"state":"leaderless","leader":"http://10.0.0.1:8200"})"), 204);
	EXPECT_EQ(client.renew(token).header("Location"), "http://10.0.0.1:8200/v1/auth/token/renew-self");
	EXPECT_EQ(client.control("/fake/node", R"({"state":"active"})"), 204);
	EXPECT_EQ(client.renew(token).status, 200);
	EXPECT_THAT(client.ask("GET", "/fake/log").body, HasSubstr("\"who\":\"token-alpha\",\"status\":307"));
}

TEST_F(FakeVaultTest, RefusesControlsThatItDoesNotKnowByName)
{
	const auto said = [&](const std::string& path, const std::string& body) {
		return client.ask("POST", path, "", body).body;
	};
	EXPECT_THAT(said("/fake/faults", R"({"fault":"sneeze"})"), HasSubstr("known are close, drip"));
	EXPECT_THAT(said("/fake/faults", R"({"fault":"hang","delay":"soon"})"), HasSubstr("not a duration"));
	EXPECT_THAT(said("/fake/faults", R"({"fault":"hang","colour":"red"})"), HasSubstr("[colour]"));
	EXPECT_THAT(said("/fake/node", R"({"state":"asleep"})"), HasSubstr("known are active"));
	EXPECT_THAT(said("/fake/outage", "{}"), HasSubstr("\\\"for\\\" is missing"));
	EXPECT_THAT(said("/fake/nothing", "{}"), HasSubstr("GET /fake/log"));
}

TEST_F(FakeVaultTest, BeginsAnOutageThatItWasAskedForOverHttp)
{
	EXPECT_EQ(client.control("/fake/outage", R"({"for":"3600s"})"), 204);
	while (!isRefused(vault)) { // it begins when the reply is on its way
	}
	vault.start();
	EXPECT_EQ(Client(vault).renew(token).status, 200);
}

TEST_F(FakeVaultTest, EndsAnOutageByItself)
{
	vault.stopFor(1ms);
	EXPECT_THROW(
		for (;;) { client.lookUp(token); }, Poco::Exception)
		<< "a client that was connected is cut off";
	while (isRefused(vault)) {
	}
	EXPECT_EQ(Client(vault).renew(token).status, 200);
}

TEST(FakeVaultOnAClock, IsLeaderlessAsLongAsItWasTold)
{
	TestClock clock;
	FakeVault vault({.clock = &clock});
	const auto token = vault.api().createToken({.ttl = 60s});
	vault.api().setNodeFor(15s, NodeState::leaderless);
	Client client(vault);
	EXPECT_EQ(client.renew(token).status, 307);
	EXPECT_EQ(client.lookUp(token).status, 200) << "look-ups are answered without a leader";
	clock.advance(15s);
	EXPECT_EQ(client.renew(token).status, 200);
}

TEST(FakeVault, LosesTheAnswerToALoginThatMadeAToken)
{
	FakeVault vault;
	vault.api().changeLogins([](Logins& logins, ServerTime now) {
		LoginRole role{.ttl = 60s, .roleId = "role"};
		role.secretIds.add("secret", {.usesLeft = 2, .created = now});
		logins.mounts["auth/approle"] = {.type = "approle", .roles = {{"web", role}}};
	});
	const auto logIn = [&] {
		return Client(vault).ask("POST", "/v1/auth/approle/login", "", R"({"role_id":"role","secret_id":"secret"})");
	};
	auto lost = faults::lose();
	lost.call = "auth/approle/login";
	lost.times = 1;
	vault.faults().add(lost);
	EXPECT_THROW(logIn(), Poco::Exception);
	EXPECT_EQ(logIn().status, 200);
	EXPECT_EQ(logIn().status, 400) << "the lost one spent a use";
}

class FakeVaultOverTls : public testing::Test
{
protected:
	Context::Ptr clientContext(const std::optional<Identity>& identity = {}) const
	{
		Context::Params parameters;
		parameters.caLocation = pki.caFile().string();
		parameters.verificationMode = Context::VERIFY_STRICT;
		if (identity) {
			parameters.certificateFile = identity->certificate.string();
			parameters.privateKeyFile = identity->key.string();
		}
		return new Context(Context::TLS_CLIENT_USE, parameters);
	}

	TempDir directory;
	TestPki pki{directory.path()};
	Listening listening{.tls = pki.server()};
};

TEST_F(FakeVaultOverTls, Serves)
{
	FakeVault vault({.listening = listening});
	EXPECT_THAT(vault.address(), testing::StartsWith("https://"));
	EXPECT_EQ(Client(vault, clientContext()).lookUp(vault.rootToken()).status, 200);
}

TEST_F(FakeVaultOverTls, ReadsItsCertificateAgainWhenItStarts)
{
	FakeVault vault({.listening = listening});
	vault.stop();
	TestPki other(directory.path()); // another CA, and so another certificate, under the old names
	other.server();
	vault.start();
	EXPECT_EQ(Client(vault, clientContext()).lookUp(vault.rootToken()).status, 200);
}

TEST_F(FakeVaultOverTls, InsistsOnAClientCertificate)
{
	listening.clientCa = pki.caFile();
	listening.clientCertificateRequired = true;
	FakeVault vault({.listening = listening});
	EXPECT_THROW(Client(vault, clientContext()).lookUp(vault.rootToken()), Poco::Exception);
	EXPECT_EQ(Client(vault, clientContext(pki.client())).lookUp(vault.rootToken()).status, 200);
}

TEST_F(FakeVaultOverTls, RenewsTokensOfACertificateOnlyOverAConnectionThatPresentsOne)
{
	listening.clientCa = pki.caFile();
	FakeVault vault({.listening = listening});
	const auto token = vault.api().createToken(
		{.ttl = 60s, .login = Login{.path = "auth/cert/login", .needsClientCertificate = true}});
	const auto reply = Client(vault, clientContext()).renew(token);
	EXPECT_THAT(reply.body, HasSubstr("no client certificate found"));
	EXPECT_EQ(Client(vault, clientContext(pki.client())).renew(token).status, 200);
}

TEST_F(FakeVaultOverTls, LogsInWithAnyCertificateThatItsMountTakesAndRenewsWithThatOneOnly)
{
	FakeVault vault({.listening = listening});
	std::ifstream authority(pki.caFile());
	const std::string pem{std::istreambuf_iterator<char>(authority), {}};
	vault.api().changeLogins([&](Logins& logins, ServerTime) {
		logins.mounts["auth/cert"] = {.type = "cert", .roles = {{"web", {.ttl = 60s, .authority = pem}}}};
	});
	const TempDir otherDirectory;
	TestPki other(otherDirectory.path(), "Other CA");
	const auto logIn = [&](const std::optional<Identity>& identity) {
		return Client(vault, clientContext(identity)).ask("POST", "/v1/auth/cert/login", "", "{}");
	};
	EXPECT_THAT(logIn({}).body, HasSubstr("no client certificate found"));
	EXPECT_THAT(logIn(other.client()).body, HasSubstr("invalid certificate"));
	EXPECT_THAT(logIn(pki.issue("old", {.commonName = "client", .validTo = -60s, .forClient = true})).body,
		HasSubstr("expired"));

	const auto first = pki.client();
	const auto reply = logIn(first);
	ASSERT_EQ(reply.status, 200) << reply.body;
	const auto token = Poco::JSON::Parser()
						   .parse(reply.body)
						   .extract<Json::Ptr>()
						   ->getObject("auth")
						   ->getValue<std::string>("client_token");
	EXPECT_EQ(Client(vault, clientContext(first)).renew(token).status, 200);
	const auto rotated = pki.issue("rotated", {.commonName = "client", .forClient = true});
	EXPECT_THAT(Client(vault, clientContext(rotated)).renew(token).body, HasSubstr("not matching client identity"));
}

TEST_F(FakeVaultOverTls, TellsClientsThatSpeakPlainHttp)
{
	FakeVault vault({.listening = listening});
	const auto capture = loadCapture("misc/plain-http-to-tls-port");
	const auto reply = Client(vault).renew("any");
	EXPECT_EQ(reply.status, capture.reply.status);
	EXPECT_EQ(reply.body, capture.reply.body);
}

TEST(FakeVaultAtAUnixSocket, Serves)
{
	const TempDir directory;
	FakeVault vault({.listening = {.unixSocket = directory.path() / "vault.sock"}});
	EXPECT_EQ(vault.address(), "unix://" + (directory.path() / "vault.sock").string());
	Poco::Net::StreamSocket socket(
		Poco::Net::SocketAddress(Poco::Net::SocketAddress::UNIX_LOCAL, (directory.path() / "vault.sock").string()));
	Poco::Net::HTTPClientSession session(socket);
	Poco::Net::HTTPRequest request("GET", "/v1/sys/health", "HTTP/1.1");
	session.sendRequest(request);
	Poco::Net::HTTPResponse response;
	session.receiveResponse(response);
	EXPECT_EQ(response.getStatus(), 200);
}

} // namespace
} // namespace issuer::test
