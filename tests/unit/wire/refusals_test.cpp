#include "reply_cases.h"
#include "wire/reply_keys.h"

#include <gmock/gmock.h>
#include <tuple>

namespace issuer::vault::wire {
namespace {

using testing::HasSubstr;

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
