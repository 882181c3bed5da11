#include "login_fixture.h"

/// The token that a login has replaced, and one that was never put in use.
namespace issuer::test {
namespace {

using OldTokens = LoginsOnTheWire;

TEST_F(OldTokens, AreNeverRevokedUnlessAskedFor)
{
	setLife(20s, 3600s);
	Hearing hearing;
	const auto instance = make(appRole(), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	const auto first = tokenOf(*instance);
	denyRenewals(*instance); // a login, with most of its life left
	ASSERT_TRUE(hearing.awaitLogins(2)) << hearing.everything();
	const auto second = tokenOf(*instance);
	EXPECT_NE(second, first);
	denyRenewals(*instance); // a revocation would have come before the next login
	ASSERT_TRUE(hearing.awaitLogins(3)) << hearing.everything();
	EXPECT_TRUE(vault.api().isAlive(first)) << "its leases live on with it";
	EXPECT_TRUE(vault.api().isAlive(second));
	EXPECT_EQ(requests("revoke-self"), 0);
	endWithoutASecret(*instance, hearing);
}

TEST_F(OldTokens, AreRevokedAfterTheirGraceWhereAskedFor)
{
	Hearing hearing;
	const auto instance = make(appRole("", R"(,"revoke_old":"0s")"), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	const Client client(vault, *instance);
	const auto first = tokenOf(*instance);
	ASSERT_TRUE(hearing.awaitLogins(2));
	ASSERT_TRUE(vault.log().waitForCount("revoke-self", 1));
	EXPECT_FALSE(vault.api().isAlive(first));
	ASSERT_TRUE(hearing.awaitLogins(3));
	ASSERT_TRUE(vault.log().waitForCount("revoke-self", 2));
	EXPECT_EQ(client.refused(), 0) << "revoked only once the next one was in use: " << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

TEST_F(OldTokens, ThatNoLoginOfOursMadeAreLeftAlone)
{
	setLife(20s, 3600s);
	const auto foreign = vault.api().createToken(
		{.ttl = 20s, .policies = {"default"}, .displayName = "foreign", .login = Login{}}); // another program's login
	write("sink/token", foreign);
	Hearing hearing;
	const auto instance =
		make(appRole("", R"(,"revoke_old":"0s","revoke_on_stop":true)" + sink()), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	EXPECT_EQ(tokenOf(*instance), foreign);
	denyRenewals(*instance);
	ASSERT_TRUE(hearing.awaitLogins(1)) << hearing.everything();
	denyRenewals(*instance);
	ASSERT_TRUE(hearing.awaitLogins(2)) << hearing.everything();
	ASSERT_TRUE(vault.log().waitForCount("revoke-self", 1)); // that of the first login
	EXPECT_EQ(vault.log().count("revoke-self", "foreign"), 0);
	EXPECT_TRUE(vault.api().isAlive(foreign));
	endWithoutASecret(*instance, hearing);
}

TEST_F(OldTokens, ThatWereNeverPutInUseAreAlwaysRevoked)
{
	Hearing hearing;
	setLife(20s, 3600s);
	const auto instance = make(appRole(), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	const auto first = tokenOf(*instance);
	vault.api().changeLogins([](issuer::test::Logins& logins, ServerTime) {
		logins.mounts["auth/approle"].roles["web"].numUses = 5; // look-ups and renewals would use it up
	});
	denyRenewals(*instance);
	ASSERT_TRUE(vault.log().waitForCount("revoke-self", 1)) << hearing.everything();
	EXPECT_EQ(tokenOf(*instance), first);
	EXPECT_TRUE(vault.api().isAlive(first));
	EXPECT_EQ(hearing.logins(), 1) << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

} // namespace
} // namespace issuer::test
