#include "told.h"
#include "vault/reply_content.h"
#include "vault/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <span>

namespace issuer::vault::wire {
namespace {

using renewal::Operation;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view canary = "s.CANARYdoNotLogMe0123456789";

HttpReply replyWith(int status, std::string_view bodyAroundCanary)
{
	HttpReply reply;
	reply.status = status;
	reply.body = bodyAroundCanary;
	for (auto at = reply.body.find('@'); at != WipedString::npos; at = reply.body.find('@')) {
		reply.body.replace(at, 1, canary);
	}
	return reply;
}

/// The canary in each place where a server, or something before it, has been seen or could be imagined to put a secret.
constexpr std::string_view bodies[] = {
	R"({"auth": {"client_token": "@", "accessor": "@", "lease_duration": 60, "metadata": {"@": "@"}}})",
	R"({"data": {"id": "@", "accessor": "@", "ttl": 60, "meta": {"secret": "@"}, "expire_time": "@", "type": "@"}})",
	R"({"wrap_info": {"token": "@", "accessor": "@", "wrapped_accessor": "@"}, "auth": null})",
	R"({"request_id": "@", "warnings": ["@"], "data": null})",
	R"({"errors": ["token @ is not known", "@"]})",
	R"({"errors": [{"text": "@"}, ["@"]], "error": "@"})",
	R"({"error": "request was: X-Vault-Token: @"})",
	R"({"errors": ["\u0073.CANARYdoNotLogMe0123456789"]})",
	R"({"message": "@", "headers": {"X-Vault-Token": ["@"]}})",
	R"({"auth": {"client_token": "@", "lease_dur)",
	R"({"auth": {"client_token": "@)",
	R"(["@", {"errors": ["@"]}])",
	R"("@")",
	R"({"lease_duration": "@", "auth": {"lease_duration": "@"}, "data": {"ttl": "@", "num_uses": "@"}})",
	"<html><body>Bad request: <pre>X-Vault-Token: @</pre></body></html>",
	"X-Vault-Token: @",
	"permission denied: @",
};

TEST(SecretsInReplies, ReachNoTextForPeople)
{
	for (const auto body : bodies) {
		for (const int status : {200, 204, 302, 307, 400, 403, 404, 429, 500, 503, 599}) {
			for (const auto operation : {Operation::lookUp, Operation::renew}) {
				auto reply = replyWith(status, body);
				const auto answer = classify(operation, reply, canary);
				EXPECT_THAT(detailOf(answer), Not(HasSubstr("CANARY"))) << status << " " << body;
			}
		}
	}
}

TEST(SecretsInReplies, AreTakenOutWhereVaultPutsThem)
{
	for (const auto body : std::span(bodies).first(3)) {
		auto reply = replyWith(200, body);
		(void)classify(Operation::renew, reply, canary);
		if (body.find("expire_time") == body.npos) { // whose strings are read, whatever they are
			EXPECT_THAT(std::string(reply.body), Not(HasSubstr(": \"s.CANARY"))) << body;
		}
	}
}

TEST(SecretsInReplies, AreTakenOutBeforeAnythingIsParsedEvenInHalfAReply)
{
	WipedString body(R"({"auth": {"client_token": "s.TOKEN\"quoted\\", "accessor": "s.TO)");
	const auto whole = body.size();
	(void)readReply(body);
	EXPECT_EQ(std::string(body), R"({"auth": { )");
	EXPECT_EQ(std::string_view(body.data(), whole).find("s.TO"), std::string_view::npos) << "nor behind what is left";
}

TEST(SecretsInReplies, AMemberThatIsNotReadGoesWithItsComma)
{
	const std::pair<std::string_view, std::string_view> cases[] = {
		{R"({"x": 1, "error": 2})", R"({ "error": 2})"},
		{R"({"error": 2, "x": "\\"})", R"({"error": 2})"},
		{R"({"error": 2 , "x" : null , "y": true })", R"({"error": 2 })"},
		{R"({"x": false, "y": "s.T,", "z": 1e3})", "{  }"},
		{R"({"x": {"ttl": 2, "y": "}"}, "data": {"z": [1, "s.T]", {}]}})", R"({ "data": {}})"},
		{R"({"x": {"y": [}, "data": null})", "{"},
		{R"({"x": 1)", "{"},
		{R"({"x":)", "{"},
		{R"({"error": 1, "x": "s.T)", R"({"error": 1)"},
		{R"(["s.T", {"x": 1}])", R"(["", {}])"},
		{R"(a "x": b)", "a "},
	};
	for (const auto& [whole, left] : cases) {
		WipedString body(whole);
		(void)readReply(body);
		EXPECT_EQ(std::string(body), left) << whole;
	}
}

TEST(SecretsInReplies, AMemberIsReadWhereItBelongsAndNowhereElse)
{
	const std::pair<std::string_view, std::string_view> cases[] = {
		{R"({"ttl": 1, "auth": {"ttl": 1, "lease_duration": 2}, "lease_duration": 3})",
			R"({ "auth": { "lease_duration": 2}})"},
		{R"({"data": {"ttl": 1, "data": {"ttl": 2}, "lease_duration": 3}})", R"({"data": {"ttl": 1}})"},
		{R"({"data": {"ttl": {"ttl": "s.T"}}, "errors": [{"data": 1}]})", R"({"data": {"ttl": {}}, "errors": [{}]})"},
		{R"({"wrap_info": {"ttl": 1, "token": "s.T"}, "data": {"type": "x"}})",
			R"({"wrap_info": { }, "data": {"type": "x"}})"},
		{R"({"auth": null, "data": {"expire_time": null}, "warnings": null})", R"({ "data": {"expire_time": null}})"},
		{R"("ttl": 1, ]}} {"error": 2})", R"( ]}} {"error": 2})"},
		{R"([{"error": 1}])", R"([{}])"},
	};
	for (const auto& [whole, left] : cases) {
		WipedString body(whole);
		(void)readReply(body);
		EXPECT_EQ(std::string(body), left) << whole;
	}
}

TEST(SecretsInReplies, WhatIsReadStays)
{
	WipedString body(R"({"errors": ["one", "two"], "data": {"ttl": "60", "id": "s.T"}, "x": 5})");
	const auto content = readReply(body);
	EXPECT_EQ(std::string(body), R"({"errors": ["one", "two"], "data": {"ttl": "60"}})");
	EXPECT_THAT(content.errors, testing::ElementsAre("one", "two"));
}

TEST(SecretsInReplies, TheTokenIsHiddenInAnErrorTextAndTheRestStays)
{
	auto reply = replyWith(500, R"({"errors": ["no entry for @ in cache", "@@"]})");
	EXPECT_THAT(detailOf(classify(Operation::renew, reply, canary)), HasSubstr("no entry for … in cache; ……)"));
}

TEST(SecretsInReplies, TheTokenIsHiddenInTheTargetOfARedirectToo)
{
	auto reply = replyWith(307, "");
	reply.location = "https://" + std::string(canary) + ".example/" + std::string(canary);
	EXPECT_THAT(detailOf(classify(Operation::renew, reply, canary)), HasSubstr("to https://….example,"));
}

TEST(SecretsInReplies, ATokenThatNoServerWouldIssueIsHiddenToo)
{
	for (const std::string_view token : {"e", "\xE2", "…", " ", "\n"}) {
		auto reply = replyWith(500, "{\"errors\": [\"e … end\"]}");
		EXPECT_EQ(told(classify(Operation::renew, reply, token)), "server away (server)");
	}
}

} // namespace
} // namespace issuer::vault::wire
