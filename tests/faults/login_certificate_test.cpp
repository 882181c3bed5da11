#include "login_fixture.h"
#include "shared_pki.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

/// Logins by the client certificate of the TLS connection.
namespace issuer::test {
namespace {

FakeVault::Options overTls()
{
	FakeVault::Options options;
	options.listening.tls = Pki::shared().server;
	options.listening.clientCa = Pki::shared().authority.caFile();
	return options;
}

class CertificateLogins : public LoginsOnTheWire
{
protected:
	CertificateLogins() : LoginsOnTheWire(overTls())
	{
		const auto& file = Pki::shared().authority.caFile();
		std::ifstream stream(file);
		const std::string authority{std::istreambuf_iterator<char>(stream), {}};
		vault.api().changeLogins([&](issuer::test::Logins& logins, ServerTime) {
			logins.mounts["auth/cert"] = {.type = "cert"};
			logins.mounts["auth/cert"].roles["web"].authority = authority;
			logins.mounts["auth/cert"].roles["web"].policies = {"web"};
		});
		setLife(3s, 6s);
		putInPlace("first");
	}

	/// Replaces the client's certificate and key by another pair of that common name.
	void putInPlace(const std::string& commonName, const CertificateWish& wish = {})
	{
		auto wanted = wish;
		wanted.commonName = commonName;
		wanted.forClient = true;
		const auto fresh = Pki::shared().authority.issue("client-" + commonName, wanted);
		for (const auto& [from, to] :
			{std::pair(fresh.key, "client.key"), std::pair(fresh.certificate, "client.pem")}) {
			std::filesystem::copy_file(
				from, path(std::string(to) + ".new"), std::filesystem::copy_options::overwrite_existing);
			std::filesystem::rename(path(std::string(to) + ".new"), path(to));
		}
	}

	/// The role accepts only this common name from now on.
	void acceptOnly(const std::string& commonName)
	{
		vault.api().changeLogins([&](issuer::test::Logins& logins, ServerTime) {
			logins.mounts["auth/cert"].roles["web"].commonNames = {commonName};
		});
	}

	[[nodiscard]] Issuer makeIt(Hearing& hearing, const std::string& startup = "fail_fast") const
	{
		const auto tls = R"(,"tls":{"ca_file":")" + Pki::shared().authority.caFile().string() + R"(","client_cert":")" +
						 path("client.pem") + R"(","client_key":")" + path("client.key") + "\"}";
		return makeOf(configOf(R"("method":"cert","name":"web")", tls, startup), hearing);
	}
};

TEST_F(CertificateLogins, BringTokenAfterTokenToAClientThatIsNeverRefused)
{
	setLifeByNumber();
	Hearing hearing;
	const auto instance = makeIt(hearing);
	const auto started = instance->start();
	ASSERT_TRUE(started) << started.error().text;
	const Client client(vault, *instance);
	EXPECT_TRUE(awaitLives(hearing)) << hearing.everything();
	EXPECT_EQ(client.refused(), 0) << hearing.everything();
	std::cout << "cert: " << lives() << " lives, " << client.uses() << " uses, " << client.refused() << " refused\n";
	endWithoutASecret(*instance, hearing);
}

TEST_F(CertificateLogins, FollowAtOnceWhereTheCertificateWasReplacedInTheMiddleOfATokensLife)
{
	setLife(600s, 3600s); // nothing else asks for a login
	Hearing hearing;
	const auto instance = makeIt(hearing);
	ASSERT_TRUE(instance->start());
	const Client client(vault, *instance);
	const auto first = tokenOf(*instance);
	acceptOnly("second"); // a login by the old one would be refused
	putInPlace("second");
	ASSERT_TRUE(hearing.awaitLogins(2)) << hearing.everything();
	EXPECT_NE(tokenOf(*instance), first);
	EXPECT_TRUE(vault.api().isAlive(first)) << "the old token stays";
	EXPECT_EQ(requests("auth/cert/login"), 2);

	ASSERT_TRUE(instance->renewNow()); // the server renews for the certificate of the login alone
	EXPECT_TRUE(hearing.awaitRenewals(1)) << hearing.everything();
	EXPECT_EQ(client.refused(), 0) << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

TEST_F(CertificateLogins, ThatAreRefusedSucceedOnceTheCertificateIsReplaced)
{
	acceptOnly("second");
	Hearing hearing;
	const auto instance = makeIt(hearing, "background");
	ASSERT_TRUE(instance->start());
	ASSERT_TRUE(vault.log().waitForCount("auth/cert/login", 1));
	const auto replaced = std::chrono::steady_clock::now();
	putInPlace("second");
	EXPECT_TRUE(hearing.awaitLogins(1)) << hearing.everything();
	EXPECT_LT(std::chrono::steady_clock::now() - replaced, 25s) << "the one before would be tried again after 30 s";
	endWithoutASecret(*instance, hearing);
}

TEST_F(CertificateLogins, AreToldToFailWhereTheCertificateEndsBeforeTheNextOne)
{
	setLife(600s, 7200s);
	putInPlace("first", {.validTo = 300s});
	Hearing hearing;
	const auto instance = makeIt(hearing);
	ASSERT_TRUE(instance->start()) << hearing.everything();
	EXPECT_TRUE(hearing.awaitReason(vault::renewal::Reason::loginEnds)) << hearing.everything();
	EXPECT_TRUE(vault.api().isAlive(tokenOf(*instance)));
	endWithoutASecret(*instance, hearing);
}

} // namespace
} // namespace issuer::test
