#include "login_fixture.h"

#include <filesystem>
#include <gmock/gmock.h>

/// `issuer-host doctor` for an issuer that logs in, against a server: by topic.
namespace issuer::test {
namespace {

using testing::HasSubstr;
using Level = vault::Finding::Level;

class LoginDoctor : public LoginsOnTheWire
{
protected:
	/// Returns the finding of a topic, as "level: text"; empty: there is none.
	std::string found(const std::string& auth, const std::string& topic, bool logsIn = false)
	{
		Hearing hearing;
		const auto instance = make(auth, hearing);
		std::string text;
		const auto find = [&](const vault::Finding& finding) {
			constexpr const char* names[] = {"ok", "note", "warn", "problem"};
			EXPECT_EQ((finding.text + finding.advice).find("CANARY"), std::string::npos) << finding.text;
			if (finding.topic == topic) {
				text += std::string(names[static_cast<int>(finding.level)]) + ": " + finding.text + "\n";
			}
		};
		EXPECT_TRUE(logsIn ? instance->diagnoseLogin(10s, find) : instance->diagnose(10s, find));
		return text;
	}

	void limitSecretId(int uses, std::chrono::seconds ttl)
	{
		vault.api().changeLogins([&](issuer::test::Logins& logins, ServerTime now) {
			logins.mounts["auth/approle"].roles["web"].secretIds.add(
				"CANARY-secret-id", {.usesLeft = uses, .ttl = ttl, .created = now});
		});
	}
	void allowLookUp()
	{
		vault.api().writePolicy(
			"web", R"(path "auth/approle/role/web/secret-id/lookup" { capabilities = ["update"] })");
	}
};

TEST_F(LoginDoctor, TellsWhatIsLeftOfTheSecretIdWherePolicyAllows)
{
	allowLookUp();
	EXPECT_EQ(found(appRole(), "secret_id", true), "ok: its uses are not limited, and it has no end\n");
	limitSecretId(3, 3600s);
	EXPECT_THAT(found(appRole(), "secret_id", true), HasSubstr("warn: 2 of its uses are left, and it is good until "));
}

TEST_F(LoginDoctor, SaysWhichPolicyWouldTellWhatIsLeftOfTheSecretId)
{
	EXPECT_EQ(found(appRole(), "secret_id", true), "note: its uses and its end are not told\n");
}

TEST_F(LoginDoctor, LooksAtTheSink)
{
	EXPECT_THAT(found(appRole("", sink()), "sink"), HasSubstr("note: "));
	EXPECT_THAT(found(appRole("", sink()), "sink"), HasSubstr("holds no token: a start needs a login"));
	write("sink/token", vault.api().createToken({.ttl = 60s}));
	EXPECT_THAT(found(appRole("", sink()), "sink"),
		HasSubstr("holds a token that a start does not use: it was made at auth/token/create"));
	write("sink/token", vault.api().createToken({.ttl = 60s, .login = Login{}}));
	std::filesystem::permissions(path("sink/token"), std::filesystem::perms(0600));
	EXPECT_THAT(
		found(appRole("", sink()), "sink"), HasSubstr("ok: sink file " + path("sink/token") + " holds a living"));
	std::filesystem::permissions(path("sink/token"), std::filesystem::perms(0644));
	EXPECT_THAT(
		found(appRole("", sink()), "sink"), HasSubstr("warn: sink file " + path("sink/token") + " has another mode"));
	vault.api().revoke(read("sink/token"));
	EXPECT_THAT(found(appRole("", sink()), "sink"), HasSubstr("holds a token that a start cannot use"));
	std::filesystem::remove_all(path("sink"));
	EXPECT_THAT(found(appRole("", sink()), "sink"),
		HasSubstr("problem: sink file " + path("sink/token") + " cannot be written"));
}

TEST_F(LoginDoctor, TellsUntilWhenTheNextLoginCanBeMade)
{
	EXPECT_THAT(found(appRole(), "next login"), HasSubstr("note: the end and the uses of the secret_id are not known"));
	EXPECT_THAT(found(jwt("jwt"), "next login"), HasSubstr("ok: can be made until 2100-01-01"));
	EXPECT_THAT(found(password("userpass"), "next login"), HasSubstr("ok: what it is made of has no end"));
	write("jwt", makeJwt(R"({"sub":"web","exp":1600000000,"iat":1500000000})"));
	EXPECT_THAT(found(jwt("jwt"), "next login"), HasSubstr("problem: would fail"));
	std::filesystem::remove(path("password"));
	EXPECT_THAT(found(password("ldap"), "next login"), HasSubstr("problem: would fail"));
}

} // namespace
} // namespace issuer::test
