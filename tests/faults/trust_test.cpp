#include "trust_fixture.h"

#include <cstdlib>

/// Files of trusted authorities and client certificates: which count, and which errors are reported.
namespace issuer::test {
namespace {

using testing::HasSubstr;
using vault::transport::Clients;
using Kind = ExchangeError::Kind;

/// root → intermediate → server.
class Chain
{
public:
	TempDir directory;
	TestPki root{make("root")};
	TestPki intermediate{root, make("intermediate"), "Issuer Test Intermediate"};
	Identity leaf = intermediate.issue("leaf", {});
	std::string rootPem = textOf(root.caFile());
	std::string intermediatePem = textOf(intermediate.caFile());
	std::string leafPem = textOf(leaf.certificate);
	/// The certificate of a server that is set up well.
	Identity full{directory.write("full.pem", leafPem + intermediatePem), leaf.key};

	/// Returns settings that trust the certificates in `pem`.
	[[nodiscard]] Settings trusting(const FaultServer& server, const std::string& pem) const
	{
		auto settings = settingsFor({server.address()});
		settings.tls.caFile = directory.write("ca.pem", pem);
		return settings;
	}

private:
	[[nodiscard]] std::filesystem::path make(const std::string& name) const
	{
		std::filesystem::create_directory(directory.path() / name);
		return directory.path() / name;
	}
};

TEST(Trust, EachCertificateOfTheCaFileIsTrusted)
{
	const Chain chain;
	FaultServer server(with(chain.full));
	expectTrusted(chain.trusting(server, chain.rootPem));
	expectTrusted(chain.trusting(server, chain.intermediatePem));
	expectTrusted(chain.trusting(server, chain.leafPem));
	FaultServer alone(with(chain.leaf));
	expectTrusted(chain.trusting(alone, chain.intermediatePem));
	expectTrusted(chain.trusting(alone, chain.rootPem + chain.intermediatePem));
	expectTrusted(chain.trusting(alone, chain.leafPem));
}

TEST(Trust, AnotherLeafOfTheSameAuthorityIsNotTrustedWithTheFirst)
{
	const Chain chain;
	TestPki& authority = const_cast<TestPki&>(chain.intermediate);
	FaultServer other(with(authority.issue("other", {})));
	expectRefused(other, chain.trusting(other, chain.leafPem), "is signed by «Issuer Test Intermediate»");
}

TEST(Trust, AMissingIntermediateIsNamed)
{
	const Chain chain;
	FaultServer server(with(chain.leaf));
	const auto settings = chain.trusting(server, chain.rootPem);
	expectRefused(server, settings,
		"certificate is signed by «Issuer Test Intermediate», which neither the server sends nor CA file " +
			settings.tls.caFile + " holds");
}

TEST(Trust, AMissingRootIsNamed)
{
	const Chain chain;
	FaultServer server(with(chain.full));
	const TempDir elsewhere;
	const TestPki stranger(elsewhere.path(), "Somebody Else");
	expectRefused(server, chain.trusting(server, textOf(stranger.caFile())),
		"certificate of the authority «Issuer Test Intermediate» is signed by «Issuer Test CA», which neither");
}

TEST(Trust, ACaDirectoryMayHoldPlainOrHashedNames)
{
	auto& pki = Pki::shared();
	FaultServer server(with(pki.server));
	for (const char* name : {"vault-ca.pem", "vault-ca.crt", "5ed36f99.0"}) {
		const TempDir directory;
		directory.write("README", "not a certificate");
		directory.write("damaged.pem", "-----BEGIN CERTIFICATE-----\nhalf");
		directory.write(name, textOf(pki.authority.caFile()));
		auto settings = settingsFor({server.address()});
		settings.tls.caDir = directory.path();
		expectTrusted(settings);
	}
}

TEST(Trust, ADirectoryWithoutACertificateIsNamed)
{
	const TempDir directory;
	auto settings = settingsFor({"https://127.0.0.1:1"});
	settings.tls.caDir = directory.path();
	for (const char* name : {"", "README", "key.pem"}) {
		if (*name != '\0') {
			directory.write(name, "junk");
		}
		const auto reply = renew(settings);
		ASSERT_FALSE(reply.has_value());
		EXPECT_EQ(reply.error().kind, Kind::configuration);
		EXPECT_THAT(
			reply.error().text, HasSubstr("CA directory " + directory.path().string() + " holds no certificate"));
	}
}

TEST(Trust, ANewFileInACaDirectoryIsNoticed)
{
	auto& pki = Pki::shared();
	FaultServer server(with(pki.server));
	const TempDir directory;
	const TempDir elsewhere;
	const TestPki stranger(elsewhere.path(), "Somebody Else");
	directory.write("other.pem", textOf(stranger.caFile()));
	auto settings = settingsFor({server.address()});
	settings.tls.caDir = directory.path();
	const auto client = Clients().get(settings);
	EXPECT_EQ(renew(*client).error().kind, Kind::tls);
	directory.write("right.pem", textOf(pki.authority.caFile()));
	const auto reply = renewUntil(*client, [](const ExchangeResult& outcome) { return outcome.has_value(); });
	EXPECT_TRUE(reply.has_value()) << told(reply);
}

TEST(Trust, TheSystemsRootsAreReadWithoutNamingThem)
{
	auto& pki = Pki::shared();
	FaultServer server(with(pki.server));
	const TempDir directory;
	directory.write("ours.pem", textOf(pki.authority.caFile()));
	::setenv("SSL_CERT_DIR", ("/nowhere:" + directory.path().string()).c_str(), 1);
	const auto reply = renew(settingsFor({server.address()}));
	::unsetenv("SSL_CERT_DIR");
	EXPECT_TRUE(reply.has_value()) << told(reply);
}

TEST(Trust, ARevokedCertificateIsRefused)
{
	Chain chain;
	FaultServer server(with(chain.full));
	const auto other = chain.intermediate.issue("other", {});
	expectTrusted(chain.trusting(server, chain.rootPem + chain.intermediate.crl({other.certificate})));
	expectRefused(server, chain.trusting(server, chain.rootPem + chain.intermediate.crl({chain.leaf.certificate})),
		"certificate was revoked by «Issuer Test Intermediate»");
	expectRefused(server, chain.trusting(server, chain.rootPem + chain.root.crl({chain.intermediate.caFile()})),
		"certificate of the authority «Issuer Test Intermediate» was revoked by «Issuer Test CA»");
}

TEST(Trust, AnAuthorityWithoutACrlRevokesNothing)
{
	const Chain chain;
	FaultServer server(with(chain.full));
	expectTrusted(chain.trusting(server, chain.rootPem + chain.root.crl({})));
	expectTrusted(chain.trusting(server, chain.rootPem + chain.intermediate.crl({})));
}

TEST(Trust, ACrlPastItsNextUpdateRefusesWithAHint)
{
	const Chain chain;
	FaultServer server(with(chain.full));
	expectRefused(server, chain.trusting(server, chain.rootPem + chain.intermediate.crl({}, -std::chrono::minutes(1))),
		"the CRL of «Issuer Test Intermediate» in CA file");
}

TEST(Trust, AnAuthorityThatHasExpiredIsNamed)
{
	const TempDir directory;
	std::filesystem::create_directory(directory.path() / "old");
	TestPki root(directory.path());
	TestPki old(root, directory.path() / "old", "Old Intermediate", -std::chrono::hours(1));
	const auto leaf = old.issue("leaf", {});
	FaultServer server(
		with(Identity{directory.write("full.pem", textOf(leaf.certificate) + textOf(old.caFile())), leaf.key}));
	auto settings = settingsFor({server.address()});
	settings.tls.caFile = root.caFile();
	expectRefused(server, settings, "certificate of the authority «Old Intermediate» expired on 20");
}

TEST(Trust, AClientCertificateBringsTheCertificatesBetweenItAndItsAuthority)
{
	Chain chain;
	auto options = with(chain.full);
	options.clientCa = chain.root.caFile();
	FaultServer server(options);
	const auto client = chain.intermediate.issue("client", {.forClient = true});
	auto settings = chain.trusting(server, chain.rootPem);
	settings.tls.clientKey = client.key;
	settings.tls.clientCert = client.certificate;
	const auto alone = renew(settings);
	ASSERT_FALSE(alone.has_value());
	EXPECT_THAT(alone.error().text, HasSubstr("misses an intermediate certificate in tls.client_cert"));
	settings.tls.clientCert =
		chain.directory.write("chain.pem", textOf(client.certificate) + chain.intermediatePem).string();
	expectTrusted(settings);
}

TEST(Trust, OneSetOfRootsServesAllClientCertificates)
{
	auto& authority = Pki::shared().authority;
	vault::transport::Trust trust(std::make_shared<vault::runtime::Helpers>());
	const auto first = authority.issue("first", {.forClient = true});
	const auto second = authority.issue("second", {.forClient = true});
	const auto identityOf = [&](const Identity& client) {
		return trust.identity({authority.caFile(), "", client.certificate, client.key, "", false});
	};
	const auto readyOf = [](vault::transport::Identity& identity) {
		const auto ready = vault::transport::blockingly(identity.ready(std::chrono::steady_clock::now() + patience));
		EXPECT_TRUE(ready.has_value());
		return ready.value_or(vault::transport::TlsSetup());
	};
	const auto firstIdentity = identityOf(first);
	const auto secondIdentity = identityOf(second);
	const auto one = readyOf(*firstIdentity);
	const auto other = readyOf(*secondIdentity);
	EXPECT_NE(one.context, nullptr);
	EXPECT_EQ(one.context, other.context);
	EXPECT_NE(one.client, other.client);
}

TEST(Trust, EqualIdentitiesAreOneForAsLongAsItIsHeld)
{
	vault::transport::Trust trust(std::make_shared<vault::runtime::Helpers>());
	const auto held = trust.identity(withCaFile("/nowhere/a"));
	EXPECT_EQ(trust.identity(withCaFile("/nowhere/a")), held);
	for (int i = 0; i < 1000; ++i) { // unreferenced ones are removed meanwhile
		EXPECT_NE(trust.identity(withCaFile("/nowhere/" + std::to_string(i))), held);
	}
	EXPECT_EQ(trust.identity(withCaFile("/nowhere/a")), held);
}

} // namespace
} // namespace issuer::test
