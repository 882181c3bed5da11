#include "login_fixture.h"

#include <gmock/gmock.h>

/// A secret_id and a token that come wrapped: each can be unwrapped once.
namespace issuer::test {
namespace {

using testing::HasSubstr;
using vault::renewal::Reason;

constexpr auto secretIdPath = "auth/approle/role/web/secret-id";

class WrappedLogins : public LoginsOnTheWire
{
protected:
	[[nodiscard]] std::string wrappedAppRole(const std::string& more = "") const
	{
		return appRole(R"(,"wrapped":true,"wrapped_path":")" + std::string(secretIdPath) + "\"", more);
	}
	/// A wrapped token instead of a login.
	[[nodiscard]] std::string wrappedToken() const
	{
		return R"(,"token":{"file":")" + path("token") + R"(","wrapped":true,"wrapped_path":"auth/token/create"})";
	}
	[[nodiscard]] std::string wrappedNewToken()
	{
		return wrapped("auth/token/create", R"({"ttl":"3s","policies":["default"]})");
	}
};

TEST_F(WrappedLogins, UnwrapASecretIdOnceForAllLogins)
{
	write("secret-id", wrapped(secretIdPath) + "\n");
	Hearing hearing;
	const auto instance = make(wrappedAppRole(), hearing, "fail_fast");
	const auto started = instance->start();
	ASSERT_TRUE(started) << started.error().text;
	const Client client(vault, *instance);
	EXPECT_TRUE(hearing.awaitLogins(3)) << hearing.everything();
	EXPECT_EQ(client.refused(), 0) << hearing.everything();
	EXPECT_EQ(requests("sys/wrapping/unwrap"), 1);
	endWithoutASecret(*instance, hearing);
}

TEST_F(WrappedLogins, RefuseASecretIdThatWasWrappedElsewhereUntilTheirOwnComes)
{
	write("secret-id", wrapped("auth/token/create"));
	Hearing hearing;
	const auto instance = make(wrappedAppRole(), hearing);
	ASSERT_TRUE(instance->start());
	ASSERT_TRUE(hearing.awaitText("another client may have put it in place")) << hearing.everything();
	EXPECT_THAT(hearing.everything(), HasSubstr("was made at auth/token/create, not at " + std::string(secretIdPath)));
	EXPECT_EQ(requests("sys/wrapping/unwrap"), 0) << "it is evidence: it is not used up";
	EXPECT_EQ(requests("auth/approle/login"), 0);
	write("secret-id", wrapped(secretIdPath));
	EXPECT_TRUE(hearing.awaitLogins(1)) << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

TEST_F(WrappedLogins, TellThatTheirSecretIdWasUnwrappedElsewhere)
{
	vault.faults().add([] {
		auto fault = faults::error(400, "wrapping token is not valid or does not exist");
		fault.call = "sys/wrapping/unwrap"; // after a look-up that had just worked
		return fault;
	}());
	write("secret-id", wrapped(secretIdPath));
	Hearing hearing;
	const auto instance = make(wrappedAppRole(), hearing);
	ASSERT_TRUE(instance->start());
	EXPECT_TRUE(hearing.awaitText("the secret was unwrapped elsewhere")) << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

TEST_F(WrappedLogins, SurviveARestartWithASpentSecretIdByTheTokenInTheSink)
{
	setLife(30s, 3600s);
	write("secret-id", wrapped(secretIdPath));
	const auto auth = wrappedAppRole(sink());
	std::string token;
	{
		Hearing hearing;
		const auto first = make(auth, hearing, "fail_fast");
		ASSERT_TRUE(first->start());
		token = tokenOf(*first);
		ASSERT_TRUE(awaitFile("sink/token", token));
		endWithoutASecret(*first, hearing);
	}
	Hearing hearing;
	const auto second = make(auth, hearing, "fail_fast");
	const auto started = second->start();
	ASSERT_TRUE(started) << started.error().text;
	EXPECT_EQ(tokenOf(*second), token);
	EXPECT_EQ(requests("auth/approle/login"), 1) << "that of the first run";
	ASSERT_TRUE(second->renewNow());
	EXPECT_TRUE(hearing.awaitRenewals(1)) << hearing.everything();
	EXPECT_EQ(requests("sys/wrapping/unwrap"), 1);
	EXPECT_EQ(tokenOf(*second), token) << "the spent wrapping token did no harm";

	write("secret-id", wrapped(secretIdPath));
	vault.api().revoke(token);
	ASSERT_TRUE(second->renewNow());
	EXPECT_TRUE(hearing.awaitLogins(1)) << hearing.everything();
	endWithoutASecret(*second, hearing);
}

TEST_F(WrappedLogins, TakeInAWrappedTokenAndKeepItAlive)
{
	write("token", wrappedNewToken() + "\n");
	Hearing hearing;
	const auto instance = makeOf(configOf("", wrappedToken(), "fail_fast"), hearing);
	const auto started = instance->start();
	ASSERT_TRUE(started) << started.error().text << hearing.everything();
	const Client client(vault, *instance);
	const auto token = tokenOf(*instance);
	EXPECT_TRUE(hearing.awaitRenewals(3)) << hearing.everything(); // longer than its first lease
	EXPECT_EQ(tokenOf(*instance), token);
	EXPECT_EQ(requests("sys/wrapping/unwrap"), 1);

	write("token", wrappedNewToken());
	vault.api().revoke(token);
	ASSERT_TRUE(instance->renewNow());
	EXPECT_TRUE(hearing.awaitLogins(2)) << hearing.everything();
	EXPECT_TRUE(vault.api().isAlive(tokenOf(*instance)));
	endWithoutASecret(*instance, hearing);
}

TEST_F(WrappedLogins, RefuseATokenThatWasWrappedElsewhere)
{
	write("token", wrapped("auth/token/create-orphan", R"({"ttl":"30s"})"));
	Hearing hearing;
	const auto instance = makeOf(configOf("", wrappedToken()), hearing);
	ASSERT_TRUE(instance->start());
	EXPECT_TRUE(hearing.awaitText("was made at auth/token/create-orphan, not at auth/token/create"))
		<< hearing.everything();
	EXPECT_EQ(requests("sys/wrapping/unwrap"), 0);
	write("token", wrappedNewToken());
	EXPECT_TRUE(hearing.awaitLogins(1)) << hearing.everything();
	endWithoutASecret(*instance, hearing);
}

} // namespace
} // namespace issuer::test
