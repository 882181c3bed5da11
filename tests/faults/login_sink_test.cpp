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
		const auto token = vault.api().createToken({.ttl = 60s, .policies = {"default"}});
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
	EXPECT_TRUE(hearing.awaitText("everybody on this machine may write its directory")) << hearing.everything();
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

TEST_F(SinkOnTheWire, OfADeadTokenIsFollowedByALogin)
{
	write("sink/token", vault.api().createToken({.ttl = 1s}));
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
