#include "base/json_sieve.h"
#include "told.h"
#include "wire/reply_content.h"
#include "wire/wire.h"

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
		if (body.find("expire_time") == body.npos) { // its strings are read, whatever they are
			EXPECT_THAT(std::string(reply.body), Not(HasSubstr(": \"s.CANARY"))) << body;
		}
	}
}

TEST(SecretsInReplies, AreRemovedBeforeAnythingIsParsedEvenFromHalfAReply)
{
	WipedString body(R"({"auth": {"client_token": "s.TOKEN\"quoted\\", "accessor": "s.TO)");
	const auto whole = body.size();
	(void)readReply(body, "");
	EXPECT_EQ(std::string(body), "");
	EXPECT_EQ(std::string_view(body.data(), whole).find("s.TO"), std::string_view::npos) << "nor behind what is left";
}

TEST(SecretsInReplies, MembersThatAreReadStay)
{
	WipedString body(R"({"errors": ["one", "two"], "data": {"ttl": "60", "id": "s.T"}, "x": 5})");
	const auto content = readReply(body, "");
	EXPECT_EQ(std::string(body), R"({"errors":["one","two"],"data":{"ttl":"60"}})");
	EXPECT_THAT(content.words, testing::ElementsAre("one", "two"));
}

TEST(SecretsInReplies, TheTokenOfTheRequestIsHiddenHoweverJsonSpellsIt)
{
	for (const std::string_view spelling : {R"(s.a/b)", R"(s.a\/b)", R"(\u0073.a/b)", R"(s\u002ea\u002Fb)"}) {
		auto text = R"({"errors": ["no )" + std::string(spelling) + R"( here"]})";
		WipedString body(text);
		EXPECT_THAT(readReply(body, "s.a/b").words, testing::ElementsAre("no … here")) << spelling;
	}
}

TEST(SecretsInReplies, ATokenThatThePageIsCutInIsHiddenToo)
{
	const auto cut = std::string(canary.substr(0, 10));
	WipedString body("page " + std::string(JsonSieve::longestPage - 15, 'x') + std::string(canary));
	EXPECT_THAT(readReply(body, canary).words, testing::ElementsAre(testing::Not(HasSubstr(cut))));
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
	EXPECT_THAT(detailOf(classify(Operation::renew, reply, canary)), HasSubstr("to https://….example/…,"));
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
