#include "login_fixture.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

/// The file that shows the token in use to others.
namespace issuer::test {
namespace {

using testing::HasSubstr;

class SinkOnTheWire : public LoginsOnTheWire
{
protected:
	SinkOnTheWire() { setLife(20s, 3600s); }

	[[nodiscard]] struct stat status() const
	{
		struct stat status = {};
		EXPECT_EQ(::stat(path("sink/token").c_str(), &status), 0);
		return status;
	}
	/// Has the token replaced, by a refusal of its renewals.
	void replaceToken(vault::Instance& instance, Hearing& hearing)
	{
		const auto before = hearing.logins();
		denyRenewals(instance);
		ASSERT_TRUE(hearing.awaitLogins(before + 1)) << hearing.everything();
	}
};

TEST_F(SinkOnTheWire, HoldsTheTokenAloneWithTheModeOwnerAndGroupThatWereAskedFor)
{
	const auto group = ::getuid() == 0 ? 4242U : ::getgid(); // root may give a file to any group
	Hearing hearing;
	const auto instance = make(appRole("", sink(R"(,"mode":"0640","owner":")" + std::to_string(::getuid()) +
												R"(","group":")" + std::to_string(group) + "\"")),
		hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	ASSERT_TRUE(awaitFile("sink/token", tokenOf(*instance))) << hearing.everything();
	EXPECT_EQ(status().st_mode & 07777U, 0640U);
	EXPECT_EQ(status().st_uid, ::getuid());
	EXPECT_EQ(status().st_gid, group);
	endWithoutASecret(*instance, hearing);
}

TEST_F(SinkOnTheWire, IsReplacedInOneStepAndByAnotherTokenOnly)
{
	Hearing hearing;
	const auto instance = make(appRole("", sink()), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	const auto first = tokenOf(*instance);
	ASSERT_TRUE(awaitFile("sink/token", first));
	EXPECT_EQ(status().st_mode & 07777U, 0600U);
	const auto inode = status().st_ino;
	const std::string heldOpen = path("held"); // a reader that has the old file open goes on reading the old token
	std::filesystem::create_hard_link(path("sink/token"), heldOpen);

	replaceToken(*instance, hearing);
	ASSERT_TRUE(awaitFile("sink/token", tokenOf(*instance)));
	EXPECT_NE(status().st_ino, inode);
	EXPECT_EQ(read("held"), first) << "was written over";
	EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("sink")), {}), 1) << "a temporary file was left";
	endWithoutASecret(*instance, hearing);
}

/// It begins with the token in the sink, so that the first write is due at once, and not 60 s after one before.
TEST_F(SinkOnTheWire, IsWrittenAgainWhenItIsMissingOrDiffers)
{
	for (const bool missing : {true, false}) {
		const auto token = vault.api().createToken({.ttl = 60s, .login = Login{}});
		write("sink/token", token);
		Hearing hearing;
		const auto instance = make(appRole("", sink()), hearing, "fail_fast");
		ASSERT_TRUE(instance->start());
		ASSERT_EQ(tokenOf(*instance), token);
		if (missing) {
			std::filesystem::remove(path("sink/token"));
		}
		else {
			write("sink/token", "another");
		}
		EXPECT_TRUE(awaitFile("sink/token", token)) << hearing.everything();
		EXPECT_EQ(hearing.logins(), 0);
		endWithoutASecret(*instance, hearing);
	}
}

TEST_F(SinkOnTheWire, ThatCannotBeWrittenIsNamedAndCostsNothingElse)
{
	std::filesystem::permissions(path("sink"), std::filesystem::perms(0777));
	Hearing hearing;
	const auto instance = make(appRole("", sink()), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	EXPECT_TRUE(hearing.awaitText("all users of this machine may write into its directory")) << hearing.everything();
	EXPECT_FALSE(std::filesystem::exists(path("sink/token")));
	EXPECT_TRUE(vault.api().isAlive(tokenOf(*instance)));

	std::filesystem::permissions(path("sink"), std::filesystem::perms(0700));
	replaceToken(*instance, hearing);
	EXPECT_TRUE(awaitFile("sink/token", tokenOf(*instance)));
	EXPECT_TRUE(hearing.awaitText("is written again")) << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

TEST_F(SinkOnTheWire, OfOneIssuerIsNotTakenByAnother)
{
	Hearing hearing;
	const auto instance = make(appRole("", sink()), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	Hearing other;
	const auto second = make(appRole("", sink()), other);
	const auto started = second->start();
	ASSERT_FALSE(started);
	EXPECT_EQ(started.error().kind, vault::Refusal::Kind::invalid);
	EXPECT_THAT(started.error().text, HasSubstr(path("sink/token") + " is the sink of another issuer"));
	endWithoutASecret(*instance, hearing);
	EXPECT_TRUE(second->start()) << "it is free again";
	endWithoutASecret(*second, other);
}

/// A file that another program has written to, or that was made for another configuration.
TEST_F(SinkOnTheWire, OfATokenThatOtherLoginsMadeIsNotUsed)
{
	const struct
	{
		std::string auth;
		TokenWish token;
		std::string said;
	} cases[] = {
		{appRole(), {.ttl = 60s}, "it was made at auth/token/create, not at auth/approle/login"},
		{appRole(), {.ttl = 60s, .login = Login{.path = "auth/other/login"}}, "made at auth/other/login, not at"},
		{password("userpass"), {.ttl = 60s, .login = Login{.path = "auth/userpass/login/other"}},
			"made at auth/userpass/login/other, not at auth/userpass/login/web"},
		{jwt("jwt"), {.ttl = 60s, .meta = {{"role", "other"}}, .login = Login{.path = "auth/jwt/login"}},
			"it was made with the role other, not with web"},
	};
	for (const auto& each : cases) {
		const auto foreign = vault.api().createToken(each.token);
		write("sink/token", foreign);
		Hearing hearing;
		const auto instance = make(each.auth + sink(), hearing, "fail_fast");
		const auto started = instance->start();
		ASSERT_TRUE(started) << each.said << started.error().text;
		EXPECT_NE(tokenOf(*instance), foreign) << each.said;
		EXPECT_EQ(hearing.logins(), 1) << each.said;
		EXPECT_TRUE(hearing.hasSaid(each.said)) << hearing.everything();
		EXPECT_TRUE(awaitFile("sink/token", tokenOf(*instance)));
		EXPECT_TRUE(vault.api().isAlive(foreign)) << "it is not ours to revoke";
		endWithoutASecret(*instance, hearing);
	}
}

TEST_F(SinkOnTheWire, IsShownToClientsOnlyOnceItsTokenWasAccepted)
{
	const auto token = vault.api().createToken({.ttl = 60s, .login = Login{}});
	write("sink/token", token);
	auto held = faults::hang();
	held.call = "lookup-self";
	vault.faults().add(held);
	Hearing hearing;
	const auto instance = make(appRole("", sink()), hearing);
	ASSERT_TRUE(instance->start());
	ASSERT_TRUE(vault.faults().waitForStrikes(1));
	EXPECT_EQ(tokenOf(*instance), "") << "is it alive, and ours?";
	vault.faults().clear();
	ASSERT_TRUE(instance->renewNow());
	EXPECT_TRUE(hearing.awaitRenewals(1)) << hearing.everything();
	EXPECT_EQ(tokenOf(*instance), token);
	EXPECT_EQ(hearing.logins(), 0);
	endWithoutASecret(*instance, hearing);
}

TEST_F(SinkOnTheWire, OfADeadTokenIsFollowedByALogin)
{
	write("sink/token", vault.api().createToken({.ttl = 1s, .login = Login{}}));
	vault.api().revoke(read("sink/token"));
	Hearing hearing;
	const auto instance = make(appRole("", sink()), hearing, "fail_fast");
	ASSERT_TRUE(instance->start()) << hearing.everything();
	EXPECT_EQ(hearing.logins(), 1);
	EXPECT_TRUE(awaitFile("sink/token", tokenOf(*instance)));
	endWithoutASecret(*instance, hearing);
}

} // namespace
} // namespace issuer::test
