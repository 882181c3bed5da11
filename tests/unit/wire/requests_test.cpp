#include "wire/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::wire {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

TEST(Requests, ALookUpCarriesTheTokenAsItsOnlySecret)
{
	const auto request = lookUpSelf("s.TOKEN", "");
	EXPECT_EQ(request.method, "GET");
	EXPECT_EQ(request.path, "/v1/auth/token/lookup-self");
	EXPECT_EQ(request.secretHeader, "X-Vault-Token");
	EXPECT_EQ(request.secret, "s.TOKEN");
	EXPECT_EQ(request.body, "");
	EXPECT_THAT(request.headers, ElementsAre(Pair("X-Vault-Request", "true")));
}

TEST(Requests, ARenewalAsksForNothingUnlessTold)
{
	const auto request = renewSelf("s.TOKEN", "", std::nullopt);
	EXPECT_EQ(request.method, "POST");
	EXPECT_EQ(request.path, "/v1/auth/token/renew-self");
	EXPECT_EQ(request.secretHeader, "X-Vault-Token");
	EXPECT_EQ(request.secret, "s.TOKEN");
	EXPECT_EQ(request.body, "{}");
	EXPECT_THAT(request.headers, Contains(Pair("Content-Type", "application/json")));
}

TEST(Requests, ANamespaceIsNamedInBoth)
{
	EXPECT_THAT(lookUpSelf("t", "team-a/x").headers, Contains(Pair("X-Vault-Namespace", "team-a/x")));
	EXPECT_THAT(renewSelf("t", "team-a/x", {}).headers, Contains(Pair("X-Vault-Namespace", "team-a/x")));
}

TEST(Requests, AnIncrementIsWholeSecondsOrNone)
{
	const auto body = [](Duration increment) { return renewSelf("t", "", increment).body; };
	EXPECT_EQ(body(60s), R"({"increment": "60s"})");
	EXPECT_EQ(body(90min), R"({"increment": "5400s"})");
	EXPECT_EQ(body(1999ms), R"({"increment": "1s"})");
	EXPECT_EQ(body(999ms), "{}");
	EXPECT_EQ(body(0s), "{}");
	EXPECT_EQ(body(-5s), "{}");
}

} // namespace
} // namespace issuer::vault::wire
