#include "server_answers.h"

/// The growth and the end of a lease.
namespace issuer::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

class Renewal : public ServerAnswers
{
protected:
	/// A token of a role of this test's own.
	std::string createInRole(const std::string& role, const std::string& wish)
	{
		const auto name = own("role");
		EXPECT_THAT(asRoot("auth/token/roles/" + name, role), HasStatus(204));
		return create(wish, "create/" + name);
	}
};

TEST_P(Renewal, GrantsThePreviousLeaseAgain)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	EXPECT_THAT(renew(token), Granted(60));
	EXPECT_THAT(renew(token, ""), Granted(60));
	EXPECT_THAT(ask("PUT", "auth/token/renew-self", token), Granted(60));
}

TEST_P(Renewal, AnswersWithTheseFields)
{
	const auto reply = renew(create(R"({"ttl":"60s","policies":["default"]})"));
	EXPECT_THAT(keysOf(reply, ""), testing::UnorderedElementsAre("request_id", "lease_id", "renewable",
									   "lease_duration", "data", "wrap_info", "warnings", "auth"));
	EXPECT_THAT(keysOf(reply, "auth"),
		testing::UnorderedElementsAre("client_token", "accessor", "policies", "token_policies", "metadata",
			"lease_duration", "renewable", "entity_id", "token_type", "orphan", "mfa_requirement", "num_uses"));
	EXPECT_EQ(reply.header("Content-Type"), "application/json");
	EXPECT_EQ(reply.header("Cache-Control"), "no-store");
	EXPECT_EQ(reply.header("Strict-Transport-Security"), "max-age=31536000; includeSubDomains");
}

TEST_P(Renewal, ShowsInTheNextLookup)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	const std::set<std::string> before = keysOf(lookUp(token), "data");
	EXPECT_THAT(before, testing::UnorderedElementsAre("accessor", "creation_time", "creation_ttl", "display_name",
							"entity_id", "expire_time", "explicit_max_ttl", "id", "issue_time", "meta", "num_uses",
							"orphan", "path", "policies", "renewable", "ttl", "type"));
	renew(token, R"({"increment":"2h"})");
	auto after = before;
	after.insert({"last_renewal", "last_renewal_time"});
	EXPECT_EQ(keysOf(lookUp(token), "data"), after);
	EXPECT_NEAR(number(lookUp(token), "data.ttl"), 7199, 2);
}

struct Increment
{
	std::string value; ///< JSON
	int granted;       ///< 0: refused
	std::string error = {};
};

TEST_P(Renewal, ReadsAnIncrement)
{
	const std::string refused = "Field validation failed: error converting input for field \"increment\": ";
	const std::vector<Increment> increments{{"\"0\"", 60}, {"0", 60}, {"\"\"", 60}, {"null", 60}, {"\"500ms\"", 60},
		{"\"5s\"", 5}, {"3600", 3600}, {"\"3600\"", 3600}, {"\"1h\"", 3600}, {"\"1h30m\"", 5400}, {"\"1d\"", 86400},
		{"\"1500ms\"", 1}, {"1", 1}, {"\"768h\"", 2764800}, {"\"1000h\"", 2764800},
		{"-5", 0, "cannot provide negative value '-5'"}, {"\"-5s\"", 0, "cannot provide negative value '-5'"},
		{"\"abc\"", 0, "time: invalid duration \"abc\""}, {"1.5", 0, "time: missing unit in duration \"1.5\""},
		{"9999999999", 0, "multiplication of durations resulted in overflow, one operand may be too large"},
		{"99999999999999999999", 0, "time: invalid duration \"99999999999999999999\""},
		{"\"99999999h\"", 0, "time: invalid duration \"99999999h\""},
		{"true", 0, "could not parse duration from input"}, {"{}", 0, "could not parse duration from input"}};
	for (const auto& [value, granted, error] : increments) {
		SCOPED_TRACE(value);
		const auto reply = renew(create(R"({"ttl":"60s","policies":["default"]})"), "{\"increment\":" + value + "}");
		if (granted > 0) {
			EXPECT_THAT(reply, Granted(granted));
		}
		else {
			EXPECT_THAT(reply, Refused(400, refused + error));
		}
	}
}

TEST_P(Renewal, OfAnotherLengthStaysWithTheToken)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	EXPECT_THAT(renew(token, R"({"increment":"10s"})"), Granted(10));
	EXPECT_THAT(renew(token), Granted(10));
	EXPECT_THAT(renew(token, R"({"increment":60})"), Granted(60));
	EXPECT_THAT(renew(token), Granted(60));
}

TEST_P(Renewal, OfAPeriodicTokenIgnoresIncrements)
{
	const auto token = create(R"({"period":"60s","policies":["default"]})");
	EXPECT_THAT(renew(token, R"({"increment":"5s"})"), Granted(60));
	EXPECT_EQ(number(lookUp(token), "data.period"), 60);
}

TEST_P(Renewal, IsCappedByAnExplicitMaxTtl)
{
	const auto token = create(R"({"ttl":"60s","explicit_max_ttl":"90s","policies":["default"]})");
	const auto reply = renew(token, R"({"increment":"1h"})");
	EXPECT_THAT(reply, HasStatus(200));
	EXPECT_NEAR(number(reply, "auth.lease_duration"), 89, 2);
	EXPECT_THAT(warning(reply), HasSubstr("TTL of \"1h\" exceeded the effective max_ttl of \"1m"));
	EXPECT_EQ(text(reply, "auth.renewable"), "true");
	EXPECT_EQ(number(lookUp(token), "data.explicit_max_ttl"), 90);
}

TEST_P(Renewal, IsCappedByTheSystemsMaxTtl)
{
	const auto reply = renew(create(R"({"ttl":"60s","policies":["default"]})"), R"({"increment":"1000h"})");
	EXPECT_EQ(
		warning(reply), "TTL of \"1000h\" exceeded the effective max_ttl of \"768h\"; TTL value is capped accordingly");
}

TEST_P(Renewal, EndsWithATokensLife)
{
	const auto token = create(R"({"ttl":"1s","policies":["default"]})");
	untilOtherThan(200, [&] { return lookUp(token); });
	EXPECT_THAT(lookUp(token), tokenRefusedReply());
	EXPECT_THAT(renew(token), tokenRefusedReply());
}

TEST_P(Renewal, IsRefusedPastAMaxTtlThatWasLoweredAlthoughTheTokenLives)
{
	const auto token = createInRole("{}", R"({"ttl":"600s"})");
	while (number(lookUp(token), "data.ttl") > 596) {
		server().letTimePass();
	}
	asRoot("auth/token/roles/" + own("role"), R"({"token_explicit_max_ttl":"2s"})");
	EXPECT_THAT(renew(token), pastMaxTtlReply());
	EXPECT_THAT(lookUp(token), HasStatus(200));
}

TEST_P(Renewal, IsRefusedAtTheMaxTtlUntilTheTokenIsDead)
{
	const auto token = create(R"({"ttl":"2s","explicit_max_ttl":"2s","policies":["default"]})");
	const auto first = untilOtherThan(200, [&] { return renew(token); });
	// A client that was held up sees no 500; and a token can end while its renewal is being worked on.
	EXPECT_THAT(first, AnyOf(pastMaxTtlReply(), tokenRefusedReply(), Refused(400, "token not found")));
	untilOtherThan(500, [&] { return renew(token); });
	EXPECT_THAT(renew(token), tokenRefusedReply());
}

TEST_P(Renewal, IsRefusedForWhatHasNoRenewableLease)
{
	const auto root = create(R"({"policies":["root"]})");
	const auto fixed = create(R"({"ttl":"60s","renewable":false,"policies":["default"]})");
	const auto batch = create(R"({"ttl":"60s","type":"batch","policies":["default"]})");
	EXPECT_THAT(renew(root), Refused(400, "lease is not renewable"));
	EXPECT_THAT(renew(fixed), Refused(400, "lease is not renewable"));
	EXPECT_THAT(renew(batch), Refused(400, "batch tokens cannot be renewed"));
	EXPECT_EQ(text(lookUp(batch), "data.type"), "batch");
	EXPECT_EQ(text(lookUp(batch), "data.accessor"), "");
	EXPECT_TRUE(field(lookUp(root), "data.expire_time").isEmpty());
}

TEST_P(Renewal, IsLimitedByATokenRoleWithoutShowingIt)
{
	const auto token = createInRole(R"({"token_explicit_max_ttl":"90s"})", R"({"ttl":"60s"})");
	const auto looked = lookUp(token);
	EXPECT_EQ(number(looked, "data.explicit_max_ttl"), 0);
	EXPECT_EQ(text(looked, "data.role"), own("role"));
	EXPECT_NEAR(number(renew(token, R"({"increment":"1h"})"), "auth.lease_duration"), 89, 2);
}

TEST_P(Renewal, FollowsThePeriodOfATokenRole)
{
	const auto token = createInRole(R"({"token_period":"60s"})", R"({})");
	EXPECT_THAT(renew(token, R"({"increment":"1h"})"), Granted(60));
	EXPECT_TRUE(field(lookUp(token), "data.period").isEmpty());
}

TEST_P(Renewal, FailsForGoodWhenTheTokensRoleIsGone)
{
	const auto token = createInRole("{}", R"({"ttl":"60s"})");
	ask("DELETE", "auth/token/roles/" + own("role"), server().rootToken());
	EXPECT_THAT(renew(token), Refused(500, "1 error occurred:\n\t* failed to renew entry: original token role \"" +
											   own("role") + "\" could not be found, not renewing\n\n"));
	EXPECT_THAT(lookUp(token), HasStatus(200));
}

TEST_P(Renewal, SpendsAUse)
{
	const auto token = create(R"({"ttl":"60s","num_uses":4,"policies":["default"]})");
	EXPECT_EQ(number(lookUp(token), "data.num_uses"), 3);
	EXPECT_EQ(number(renew(token), "auth.num_uses"), 4);
	EXPECT_THAT(renew(token, "garbage"), HasStatus(400)); // spends none
	EXPECT_EQ(number(lookUp(token), "data.num_uses"), 1);
	EXPECT_THAT(renew(token), Refused(400, "token not found"));
	EXPECT_THAT(renew(token), tokenRefusedReply());
}

TEST_P(Renewal, CountsTheLastUseOfALookup)
{
	const auto token = create(R"({"ttl":"60s","num_uses":1,"policies":["default"]})");
	EXPECT_EQ(number(lookUp(token), "data.num_uses"), -1);
	EXPECT_THAT(lookUp(token), tokenRefusedReply());
}

TEST_P(Renewal, TakesJsonObjectsOnly)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	for (const std::string body : {"garbage", "[1]", "\"text\"", "5", "{\"increment\":"}) {
		SCOPED_TRACE(body);
		EXPECT_THAT(renew(token, body), RefusedWith(400, "failed to decode JSON input: "));
	}
	EXPECT_THAT(renew(token, "null"), Granted(60));
	EXPECT_EQ(warning(renew(token, R"({"foo":1})")), "Endpoint ignored these unrecognized parameters: [foo]");
}

TEST_P(Renewal, CanBeWrapped)
{
	const auto token = create(R"({"ttl":"60s","policies":["default"]})");
	const auto reply = renew(token, R"({"increment":"2h"})", {{"X-Vault-Wrap-TTL", "60s"}});
	EXPECT_THAT(reply, HasStatus(200));
	EXPECT_TRUE(field(reply, "auth").isEmpty());
	EXPECT_EQ(text(reply, "request_id"), "");
	EXPECT_THAT(keysOf(reply, "wrap_info"), testing::UnorderedElementsAre("token", "accessor", "ttl", "creation_time",
												"creation_path", "wrapped_accessor"));
	EXPECT_GT(number(lookUp(token), "data.ttl"), 7000) << "the renewal is done all the same";
}

INSTANTIATE_TEST_SUITE_P(Fake, Renewal, testing::Values(ServerKind::fake), nameOf);
INSTANTIATE_TEST_SUITE_P(Real, Renewal, testing::ValuesIn(realServers()), nameOf);

} // namespace
} // namespace issuer::test
