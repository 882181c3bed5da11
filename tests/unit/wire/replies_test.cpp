#include "told.h"
#include "wire/reply_keys.h"
#include "wire/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <span>
#include <tuple>

namespace issuer::vault::wire {
namespace {

using renewal::Operation;
using testing::HasSubstr;

constexpr auto lookUp = Operation::lookUp;
constexpr auto renew = Operation::renew;

HttpReply replyOf(int status, std::string_view body)
{
	HttpReply reply;
	reply.status = status;
	reply.body = body;
	return reply;
}

std::string answer(Operation operation, int status, std::string_view body)
{
	auto reply = replyOf(status, body);
	return told(classify(operation, reply, "s.TOKEN"));
}

struct Case
{
	Operation operation;
	int status;
	std::string_view body;
	std::string_view expected;
};

void expectEach(std::span<const Case> cases)
{
	for (const auto& row : cases) {
		EXPECT_EQ(answer(row.operation, row.status, row.body), row.expected)
			<< "HTTP " << row.status << ": " << row.body.substr(0, 200);
	}
}

constexpr std::string_view html = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head></html>";

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

TEST(Replies, RefusalsAreToldApartByTheirText)
{
	constexpr Case cases[] = {
		{renew, 403, R"({"errors": ["permission denied"]})", "refused (refused)"},
		{renew, 403, R"({"errors": ["1 error occurred:\n\t* permission denied\n\n"]})", "denied (refused)"},
		// HashiCorp Vault 1.13 and later
		{renew, 403, R"({"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]})",
			"refused (refused)"},
		{renew, 403, R"({"errors": ["bad token"]})", "refused (refused)"},
		{renew, 403, R"({"errors": ["permission denied: by the firewall"]})", "unclear refusal (refused)"},
		{renew, 403, R"({"errors": []})", "unclear refusal (refused)"},
		{lookUp, 403, R"({"errors": ["permission denied"]})", "refused (refused)"},
	};
	expectEach(cases);
}

TEST(Replies, OnlyVaultsOwnWordsJudgeTheToken)
{
	constexpr Case cases[] = {
		{renew, 403, R"({"message": "Forbidden"})", "malformed (malformed)"},
		{renew, 403, "", "malformed (malformed)"},
		{renew, 403, "RBAC: access denied", "malformed (malformed)"},
		{renew, 403, "permission denied", "malformed (malformed)"},
		{renew, 403, html, "malformed (malformed)"},
		{renew, 403, R"({"error": "permission denied"})", "malformed (malformed)"},
		{renew, 403, R"({"errors": "permission denied"})", "malformed (malformed)"},
		{renew, 403, R"({"errors": [{"message": "permission denied"}]})", "malformed (malformed)"},
		{renew, 403, R"({"errors": ["permission denied", {"code": 1}]})", "malformed (malformed)"},
		{renew, 403, R"({"error": {"code": 403, "message": "invalid token"}})", "malformed (malformed)"},
		{renew, 403, R"({"errors": ["permission denied"]}<br>)", "malformed (malformed)"},
		{renew, 400, "CSRF token not found", "configuration (config)"},
		{renew, 400, R"({"error": "token not found"})", "configuration (config)"},
		{renew, 500, "past the max TTL", "server away (server)"},
		{renew, 500, R"({"error": "Lease is not renewable."})", "server away (server)"},
	};
	expectEach(cases);
}

TEST(Replies, TheWordsOfAProxyBeforeTheServerAreShown)
{
	const std::pair<std::string_view, std::string_view> cases[] = {
		{"RBAC: access denied", "(HTTP 403: RBAC: access denied)"},
		{R"({"message": "Forbidden"})", "(HTTP 403: Forbidden)"},
		{R"({"error": {"code": 403, "message": "no entry"}})", "(HTTP 403: no entry)"},
		{R"({"error": "access_denied", "error_description": "who are you?"})",
			"(HTTP 403: access_denied; who are you?)"},
		{"<!DOCTYPE html>\n<html><head><TITLE>Access\ndenied</title></head>", "(HTTP 403: Access denied)"},
		{"<h1>403 Forbidden</h1><p>by rule <b>7</b></p>", "(HTTP 403: 403 Forbidden by rule 7)"},
		{"", "on the way (HTTP 403)"},
	};
	for (const auto& [body, words] : cases) {
		auto reply = replyOf(403, body);
		EXPECT_THAT(detailOf(classify(renew, reply, "s.TOKEN")), HasSubstr(std::string(words)));
	}
}

TEST(Replies, ACodedBodyIsNamedAndIsNoVerdict)
{
	for (const auto& [status, expected] : {std::pair(200, "malformed (malformed)"), {403, "malformed (malformed)"},
			 {404, "configuration (config)"}, {429, "throttled (throttled)"}, {503, "server away (server)"}}) {
		auto reply = replyOf(status, "");
		reply.coding = "gzip";
		const auto answer = classify(renew, reply, "s.TOKEN");
		EXPECT_EQ(told(answer), expected) << status;
		EXPECT_THAT(detailOf(answer), HasSubstr("compressed (gzip): something before the server does that"));
	}
}

TEST(Replies, VaultsLanguageIsToldFromAGateways)
{
	const std::tuple<int, std::string_view, bool> cases[] = {
		{200, R"({"auth":{"lease_duration":60}})", true},
		{200, R"({"data":{"ttl":60}})", true},
		{200, R"({"wrap_info":{}})", true},
		{403, R"({"errors":["permission denied"]})", true},
		{404, R"({"errors":[]})", true},
		{204, "", true},
		{200, "", false},
		{200, "<html>", false},
		{403, R"({"message":"Forbidden"})", false},
		{403, R"({"errors":[{}]})", false},
		{403, "", false},
		{302, "", false},
		{307, "", false},
	};
	for (const auto& [status, body, expected] : cases) {
		EXPECT_EQ(isVaultsLanguage(replyOf(status, body)), expected) << status << " " << body;
	}
	auto redirect = replyOf(307, "");
	redirect.location = "https://leader:8200/v1/auth/token/renew-self";
	EXPECT_TRUE(isVaultsLanguage(redirect));
	EXPECT_EQ(renewSelf("t", "", {}).understands, &isVaultsLanguage);
}

TEST(Replies, TheTextsOf400AreToldApart)
{
	constexpr Case cases[] = {
		{renew, 400, R"({"errors": ["lease is not renewable"]})", "not renewable (not renewable)"},
		{renew, 400, R"({"errors": ["batch tokens cannot be renewed"]})", "batch (batch)"},
		{renew, 400, R"({"errors": ["invalid lease ID"]})", "no lease (none)"},
		{renew, 400, R"({"errors": ["token not found"]})", "gone (refused)"},
		{renew, 400, R"({"errors": ["lease not found"]})", "gone (refused)"},
		{renew, 400, R"({"errors": ["lease expired"]})", "gone (expired)"},
		{renew, 400, R"({"errors": ["odd", "Token not found."]})", "gone (refused)"},
		{renew, 400, R"({"errors": ["cannot renew a token across namespaces"]})", "configuration (config)"},
		{renew, 400, R"({"error": "Request client token is missing."})", "configuration (config)"},
		{renew, 400, "400 Bad Request", "configuration (config)"},
		{renew, 400, "400 Bad Request: missing required Host header", "configuration (config)"},
		{renew, 400, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
			"configuration (config)"},
	};
	expectEach(cases);
}

TEST(Replies, OtherRefusedRequestsAreAMatterOfConfiguration)
{
	constexpr Case cases[] = {
		{renew, 401, "", "configuration (config)"},
		{renew, 404, R"({"errors": ["namespace not found"]})", "configuration (config)"},
		{renew, 404, R"({"errors": ["no handler for route \"nosuch/lookup-self\". route entry not found."]})",
			"configuration (config)"},
		{renew, 404, R"({"errors": ["1 error occurred:\n\t* unsupported path\n\n"]})", "configuration (config)"},
		{renew, 404, html, "configuration (config)"},
		{renew, 405, R"({"errors": ["1 error occurred:\n\t* unsupported operation\n\n"]})", "configuration (config)"},
		{renew, 407, "", "configuration (config)"},
		{renew, 413, R"({"errors": ["http: request body too large"]})", "configuration (config)"},
		{renew, 418, "", "configuration (config)"},
		{renew, 499, "", "configuration (config)"},
	};
	expectEach(cases);
}

TEST(Replies, TroubleThatPassesByItselfIsTheServers)
{
	constexpr Case cases[] = {
		{renew, 408, "", "server away (server)"},
		{renew, 412, R"({"errors": ["required index state not present"]})", "server away (server)"},
		{renew, 425, "", "server away (server)"},
		{renew, 429, "", "throttled (throttled)"},
		{renew, 429, html, "throttled (throttled)"},
		{renew, 472, "", "server away (server)"},
		{renew, 473, "", "server away (server)"},
		{renew, 500, "", "server away (server)"},
		{renew, 500, R"({"errors": ["2 errors occurred:\n\t* internal error\n\t* internal error\n\n"]})",
			"server away (server)"},
		{renew, 500, R"({"errors": ["read tcp 127.0.0.1:8200->127.0.0.1:5: i/o timeout"]})", "server away (server)"},
		{renew, 502, html, "server away (server)"},
		{renew, 503, html, "server away (server)"},
		{renew, 503, R"({"errors": ["Vault is sealed"]})", "server away (sealed)"},
		{renew, 504, "", "server away (server)"},
		{renew, 599, "", "server away (server)"},
	};
	expectEach(cases);
}

TEST(Replies, A500MayBeAVerdictForGood)
{
	constexpr Case cases[] = {
		{renew, 500, R"({"errors": ["1 error occurred:\n\t* past the max TTL, cannot renew\n\n"]})",
			"past max TTL (max TTL)"},
		{renew, 500,
			R"({"errors": ["1 error occurred:\n\t* failed to renew entry: role \"ra\" does not exist during renewal\n\n"]})",
			"denied (refused)"},
		{renew, 500,
			R"({"errors": ["1 error occurred:\n\t* failed to renew entry: original token role \"tr\" could not be found, not renewing\n\n"]})",
			"denied (refused)"},
		{renew, 500,
			R"({"errors": ["1 error occurred:\n\t* failed to renew entry: policies have changed, not renewing\n\n"]})",
			"denied (refused)"},
		{renew, 500,
			R"({"errors": ["1 error occurred:\n\t* failed to renew entry: client identity during renewal not matching client identity used during login:\n\n"]})",
			"denied (refused)"},
	};
	expectEach(cases);
}

TEST(Replies, AnUnknownStatusIsNoAnswerOfVaults)
{
	constexpr Case cases[] = {
		{renew, 0, "", "malformed (malformed)"},
		{renew, 100, "", "malformed (malformed)"},
		{renew, 201, R"({"auth": {"lease_duration": 60}})", "malformed (malformed)"},
		{renew, 206, R"({"auth": {"lease_duration": 60}})", "malformed (malformed)"},
		{renew, 600, "", "malformed (malformed)"},
		{renew, 999, "", "malformed (malformed)"},
		{renew, -1, "", "malformed (malformed)"},
		{renew, 100'000, "", "malformed (malformed)"},
	};
	expectEach(cases);
}

struct Redirect
{
	int status;
	std::string location;
	std::string expected;
	std::string words;
};

TEST(Replies, ARedirectThatWasNotFollowedTellsWhereTo)
{
	const std::string path = "/v1/auth/token/renew-self";
	const Redirect cases[] = {
		{307, "http://127.0.0.2:8200" + path, "server away (server)", "HTTP 307 to http://127.0.0.2:8200,"},
		{308, "https://user:word@vault.example" + path + "?y#z", "server away (server)", "to https://vault.example,"},
		{307, "https://a\x1B[2Jb" + path, "server away (server)", "to https://a [2Jb,"},
		{307, path, "configuration (config)", "another path of the same server"},
		{307, "login?back=https://vault.example/", "configuration (config)", "another path of the same server"},
		{307, "https://sso.example/x?rd=y", "configuration (config)",
			"HTTP 307 to https://sso.example/x, not followed"},
		{302, "https://u:p@sso.example/start?rd=https://v/", "configuration (config)",
			"HTTP 302 to https://sso.example/start, not followed"},
		{302, "https://sso.example?rd=y", "configuration (config)", "HTTP 302 to https://sso.example, not followed"},
		{301, "https://vault.example" + path, "configuration (config)",
			"HTTP 301 to https://vault.example" + path + ","},
		{303, "/login?back=x", "configuration (config)", "HTTP 303 to /login, not followed"},
		{300, "/x", "configuration (config)", "HTTP 300 to /x, not followed"},
		{307, "", "malformed (malformed)", "without a target"},
		{302, "", "malformed (malformed)", "without a target"},
	};
	for (const auto& row : cases) {
		auto reply = replyOf(row.status, "");
		reply.location = row.location;
		const auto answer = classify(renew, reply, "s.TOKEN");
		EXPECT_EQ(told(answer), row.expected) << row.location;
		EXPECT_THAT(detailOf(answer), HasSubstr(row.words));
		EXPECT_THAT(detailOf(answer), testing::Not(HasSubstr("rd="))) << "a query may hold anything";
	}
}

TEST(Replies, RetryAfterCountsInWholeSecondsUpToADay)
{
	const std::pair<std::string, std::string> cases[] = {
		{"18", ", retry after 18s"},
		{"0", ""}, // the answer of a quota with an interval of a second
		{"-1", ""},
		{"1.5", ""},
		{"18s", ""},
		{"", ""},
		{"Wed, 21 Oct 2026 07:28:00 GMT", ""},
		{"99999999", ", retry after 86400s"},
		{"99999999999999999999", ""},
	};
	for (const auto& [header, after] : cases) {
		auto throttled = replyOf(429, "");
		throttled.retryAfter = header;
		EXPECT_EQ(told(classify(renew, throttled, "s.TOKEN")), "throttled (throttled)" + after) << header;
		auto away = replyOf(503, "");
		away.retryAfter = header;
		EXPECT_EQ(told(classify(renew, away, "s.TOKEN")), "server away (server)" + after) << header;
		auto refused = replyOf(400, "");
		refused.retryAfter = header;
		EXPECT_EQ(told(classify(renew, refused, "s.TOKEN")), "configuration (config)") << header;
	}
}

TEST(Replies, TheSentenceForPeopleQuotesTheServerInOneLine)
{
	auto reply = replyOf(404, R"({"errors": ["namespace not\tfound\r\n\u001b[31m", "and\u0000more"]})");
	EXPECT_EQ(detailOf(classify(renew, reply, "s.TOKEN")),
		"the server has no such namespace; check \"namespace\" (HTTP 404: namespace not found [31m; and more)");
}

TEST(Replies, TheSentenceForPeopleIsBoundedHoweverMuchTheServerSays)
{
	std::string body = R"({"errors": ["start")";
	for (int i = 0; i < 3'000; ++i) {
		body += R"(, "another error")";
	}
	auto reply = replyOf(500, body + "]}");
	const auto detail = detailOf(classify(renew, reply, "s.TOKEN"));
	EXPECT_THAT(detail, HasSubstr("HTTP 500: start; another error"));
	EXPECT_THAT(detail, HasSubstr("…)"));
	EXPECT_LT(detail.size(), 600U);
}

struct Missing
{
	ExchangeError::Kind kind;
	std::string expected;
};

TEST(Replies, AMissingReplyMeansTheTroubleThatKeptIt)
{
	using Kind = ExchangeError::Kind;
	const Missing cases[] = {
		{Kind::cancelled, "cancelled (none)"},
		{Kind::timeout, "transport (timeout)"},
		{Kind::network, "transport (network)"},
		{Kind::tls, "configuration (tls)"},
		{Kind::malformed, "malformed (malformed)"},
		{Kind::configuration, "configuration (config)"},
	};
	for (const auto& row : cases) {
		const auto answer = classify(ExchangeError{row.kind, "vault.example:8200: why"});
		EXPECT_EQ(told(answer), row.expected);
		EXPECT_EQ(detailOf(answer), "vault.example:8200: why");
	}
}

TEST(Replies, ARequestThatWasNotSentIsKnownToHaveDoneNothing)
{
	for (const bool unsent : {true, false}) {
		const auto answer = classify(ExchangeError{ExchangeError::Kind::network, "why", unsent});
		EXPECT_EQ(std::get<renewal::Trouble>(answer).unsent, unsent);
	}
}

} // namespace
} // namespace issuer::vault::wire
