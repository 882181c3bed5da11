#include "reply_cases.h"

namespace issuer::vault::wire {
namespace {

TEST(Replies, AGrantIsAnAuthObjectWithALease)
{
	constexpr Case cases[] = {
		{renew, 200, R"({"auth": {"lease_duration": 60}})", "grant 60s"},
		{renew, 200, R"({"auth": {"lease_duration": 1}})", "grant 1s"},
		{renew, 200, R"({"auth": {"lease_duration": 60, "renewable": true}})", "grant 60s"},
		{renew, 200, R"({"auth": {"lease_duration": 60, "renewable": false}})", "grant 60s not renewable"},
		{renew, 200, R"({"renewable": false, "auth": {"lease_duration": 60}})", "grant 60s"},
		{renew, 200, R"({"auth": {"lease_duration": "60"}})", "grant 60s"},
		{renew, 200, R"({"auth": {"lease_duration": 1.5}})", "grant 1s500ms"},
		{renew, 200, R"({"auth": {"lease_duration": 6e1}})", "grant 60s"},
		{renew, 200, R"({"auth": {"lease_duration": 60}, "errors": ["odd"]})", "grant 60s"},
		{renew, 200, R"({"auth": {"lease_duration": 60}, "warnings": "odd"})", "grant 60s"},
		{renew, 200, R"({"lease_duration": 60, "auth": {}})", "malformed (malformed)"},
		{renew, 200, R"({"lease_duration": 60, "auth": null})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": 0}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": -60}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": null}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": true}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": "1h"}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": [60]}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": [{"lease_duration": 60}]})", "malformed (malformed)"},
		{renew, 200, R"({"auth": "lease_duration"})", "malformed (malformed)"},
		{renew, 200, R"({"data": {"ttl": 60}})", "malformed (malformed)"},
		{renew, 200, "{}", "malformed (malformed)"},
	};
	expectEach(cases);
}

TEST(Replies, OnlyTheEndOfALifeIsACap)
{
	constexpr Case cases[] = {
		{renew, 200,
			R"({"auth": {"lease_duration": 7},
				"warnings": ["odd", "TTL of \"8s\" exceeded the effective max_ttl of \"7s\"; TTL value is capped accordingly"]})",
			"grant 7s capped"},
		{renew, 200,
			R"({"auth": {"lease_duration": 25},
				"warnings": ["period of \"40s\" exceeded the effective max_ttl of \"25s\"; period value is capped accordingly"]})",
			"grant 25s"},
		{renew, 200, R"({"auth": {"lease_duration": 7}, "warnings": [7, null, {"max_ttl": 1}]})", "grant 7s"},
	};
	expectEach(cases);
}

TEST(Replies, ALeaseLongerThanACenturyIsACentury)
{
	constexpr std::string_view century = "grant 3155695200s";
	constexpr Case cases[] = {
		{renew, 200, R"({"auth": {"lease_duration": 9223372036854775807}})", century},
		{renew, 200, R"({"auth": {"lease_duration": 18446744073709551615}})", century},
		{renew, 200, R"({"auth": {"lease_duration": 18446744073709551616}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": 1e300}})", century},
		{renew, 200, R"({"auth": {"lease_duration": 1e999}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": "nan"}})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": "inf"}})", "malformed (malformed)"},
		{lookUp, 200,
			R"({"data": {"ttl": 1e300, "num_uses": 1e300, "creation_time": 1e300, "creation_ttl": 1e300,
				"expire_time": "9999-12-31T23:59:59Z"}})",
			"ttl 3155695200s, lease 3155695200s, uses 1000000000000000"},
	};
	expectEach(cases);
}

TEST(Replies, ALookUpTellsTheLease)
{
	constexpr Case cases[] = {
		{lookUp, 200, R"({"data": {"ttl": 60}})", "ttl 60s"},
		{lookUp, 200, R"({"data": {"ttl": "60", "num_uses": "5", "period": "7"}})", "ttl 60s, period 7s, uses 5"},
		{lookUp, 200, R"({"data": {"ttl": -1}})", "ttl 0s"},
		{lookUp, 200, R"({"data": {"ttl": 60, "num_uses": -7}})", "ttl 60s, uses -1"},
		{lookUp, 200, R"({"data": {"ttl": 60, "renewable": "false"}})", "ttl 60s"},
		{lookUp, 200, R"({"data": {"ttl": 60, "renewable": null}})", "ttl 60s"},
		{lookUp, 200, R"({"data": {"ttl": 60, "type": ["batch"]}})", "ttl 60s"},
		{lookUp, 200, R"({"data": {"expire_time": null}})", "malformed (malformed)"},
		{lookUp, 200, R"({"data": null})", "malformed (malformed)"},
		{lookUp, 200, R"({"data": 60})", "malformed (malformed)"},
		{lookUp, 200, R"({"data": null, "wrap_info": {"token": "s.T"}})", "malformed (malformed)"},
		{lookUp, 200, R"({"auth": {"lease_duration": 60}})", "malformed (malformed)"},
	};
	expectEach(cases);
}

TEST(Replies, NeverExpiringIsSaidByANullAndBelievedOnlyWithoutATtl)
{
	constexpr Case cases[] = {
		{lookUp, 200, R"({"data": {"ttl": 0, "expire_time": null}})", "ttl 0s, never expires"},
		{lookUp, 200, R"({"data": {"ttl": 0}})", "ttl 0s"},
		{lookUp, 200, R"({"data": {"ttl": 0, "expire_time": ""}})", "ttl 0s"},
		{lookUp, 200, R"({"data": {"ttl": 60, "expire_time": null}})", "ttl 60s"},
		{lookUp, 200, R"({"data": {"ttl": 0, "expire_time": "2026-11-24T00:03:33Z"}})", "ttl 0s, expires 1795478613"},
	};
	expectEach(cases);
}

TEST(Replies, DatesAreReadAsServersWriteThem)
{
	constexpr Case cases[] = {
		{lookUp, 200, R"({"data": {"ttl": 9, "expire_time": "2026-11-24T00:03:33.740640808Z"}})",
			"ttl 9s, expires 1795478613.740640"},
		{lookUp, 200, R"({"data": {"ttl": 9, "expire_time": "2026-11-24T01:03:33.5+01:00"}})",
			"ttl 9s, expires 1795478613.500000"},
		{lookUp, 200, R"({"data": {"ttl": 9, "expire_time": "0001-01-01T00:00:00Z"}})", "ttl 9s"},
		{lookUp, 200, R"({"data": {"ttl": 9, "expire_time": "tomorrow"}})", "ttl 9s"},
		{lookUp, 200, R"({"data": {"ttl": 9, "expire_time": 1795478613}})", "ttl 9s"},
		{lookUp, 200, R"({"data": {"ttl": 9, "creation_time": 0}})", "ttl 9s"},
		{lookUp, 200, R"({"data": {"ttl": 9, "creation_time": -5}})", "ttl 9s"},
		{lookUp, 200, R"({"data": {"ttl": 9, "creation_time": 1795478553.25}})", "ttl 9s, created 1795478553"},
	};
	expectEach(cases);
}

TEST(Replies, AWrappedGrantTellsNoLease)
{
	constexpr Case cases[] = {
		{renew, 200, R"({"auth": null, "wrap_info": {"token": "s.T", "ttl": 60}})", "wrapped grant"},
		{renew, 200, R"({"wrap_info": {}})", "wrapped grant"},
		{renew, 200, R"({"auth": {"lease_duration": 60}, "wrap_info": {}})", "grant 60s"},
		{renew, 200, R"({"auth": null, "wrap_info": "s.T"})", "malformed (malformed)"},
	};
	expectEach(cases);
}

TEST(Replies, A200OfAnythingElseIsNoVerdictOnTheToken)
{
	const std::string deep = std::string(30'000, '[') + std::string(30'000, ']');
	const std::string deepObjects = [] {
		std::string text;
		for (int i = 0; i < 5'000; ++i) {
			text += R"({"auth": )";
		}
		return text;
	}();
	const Case cases[] = {
		{renew, 200, "", "malformed (malformed)"},
		{renew, 200, html, "malformed (malformed)"},
		{renew, 200, "OK", "malformed (malformed)"},
		{renew, 200, "null", "malformed (malformed)"},
		{renew, 200, "60", "malformed (malformed)"},
		{renew, 200, "[]", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": 60})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": 6)", "malformed (malformed)"},
		{renew, 200, "{\"auth\": {\"lease_duration\": 60}, \"error\": \"\xFF\"}", "malformed (malformed)"},
		{renew, 200, std::string_view("{\"auth\": {\"lease_duration\": 60}}\0", 33), "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": 60}} {})", "malformed (malformed)"},
		{renew, 200, R"({"auth": {"lease_duration": 60}}x)", "malformed (malformed)"},
		{renew, 200, deep, "malformed (malformed)"},
		{renew, 200, deepObjects, "malformed (malformed)"},
		{lookUp, 200, html, "malformed (malformed)"},
		{lookUp, 204, "", "malformed (malformed)"},
	};
	expectEach(cases);
}

TEST(Replies, UnreadMembersAreNotParsed)
{
	for (const std::string key : {"errors", "x"}) {
		const auto deep = std::string(10'000, '[') + std::string(10'000, ']');
		EXPECT_EQ(
			answer(renew, 200, R"({")" + key + R"(": )" + deep + R"(, "auth": {"lease_duration": 60}})"), "grant 60s");
	}
}

TEST(Replies, A204IsNoRenewal)
{
	EXPECT_EQ(answer(renew, 204, ""), "denied (refused)");
}

} // namespace
} // namespace issuer::vault::wire
