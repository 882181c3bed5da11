#include "told.h"
#include "wire/logins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;
using testing::HasSubstr;
using testing::Not;

HttpReply reply(int status, std::string_view body)
{
	HttpReply reply;
	reply.status = status;
	reply.body = body;
	return reply;
}

HttpReply refusal(int status, const std::string& text)
{
	return reply(status, R"({"errors":[")" + text + R"("]})");
}

LoginReply afterLogin(LoginMethod method, HttpReply reply, const LoginParts& parts = {"WHO", "SECRET-01234567"})
{
	return classify(logIn({method, defaultMount(method), ""}, parts), reply);
}

/// Rows of the classification of which there is no recording.
TEST(LoginReplies, RefusalsThatWereOnlyReadInTheSourceAreUnderstood)
{
	EXPECT_EQ(told(afterLogin(LoginMethod::appRole, refusal(400, "invalid secret_id"))), "material (refused)");
	EXPECT_EQ(told(afterLogin(LoginMethod::appRole, refusal(500, "missing role_id"))), "configuration (config)");
	EXPECT_EQ(told(afterLogin(LoginMethod::kubernetes, refusal(500, "could not load backend configuration"))),
		"configuration (config)");
	EXPECT_EQ(told(afterLogin(LoginMethod::kubernetes, refusal(400, "missing role"))), "configuration (config)");
	EXPECT_EQ(told(afterLogin(LoginMethod::jwt, refusal(400, "missing role"))), "configuration (config)");
}

TEST(LoginReplies, RefusalsThatAnyMethodMayMeetAreUnderstood)
{
	for (const auto method : {LoginMethod::appRole, LoginMethod::kubernetes, LoginMethod::jwt, LoginMethod::certificate,
			 LoginMethod::userpass, LoginMethod::ldap}) {
		const auto toldOf = [&](HttpReply reply) { return told(afterLogin(method, std::move(reply))); };
		EXPECT_EQ(toldOf(refusal(404, R"(no handler for route \"auth/x/login\". route entry not found.)")),
			"configuration (config)");
		EXPECT_EQ(toldOf(refusal(400, "cannot write to a path ending in '/'")), "configuration (config)");
		EXPECT_EQ(toldOf(refusal(400, "failed to decode JSON")), "configuration (config)");
		EXPECT_EQ(toldOf(refusal(500, "internal error")), "passes (server)");
		EXPECT_EQ(toldOf(refusal(403, "something new")), "ambiguous (refused)");
		EXPECT_EQ(toldOf(reply(502, "<html>Bad gateway")), "passes (server)");
		EXPECT_EQ(toldOf(reply(200, "<html>Sign on")), "configuration (malformed)");
		EXPECT_EQ(toldOf(reply(204, "")), "configuration (malformed)");
		EXPECT_EQ(toldOf(reply(200, R"({"auth":{"client_token":"s.T"}})")), "configuration (malformed)");
	}
}

TEST(LoginReplies, AQuotaTellsWhenToComeAgain)
{
	auto limited = refusal(429, "rate limit quota exceeded");
	limited.retryAfter = "18";
	EXPECT_EQ(told(afterLogin(LoginMethod::appRole, std::move(limited))), "passes (throttled), retry after 18s");
}

TEST(LoginReplies, ARefusalInUnknownWordsIsNotTriedAgainSoonWhereWrongLoginsLockOut)
{
	for (const auto method : {LoginMethod::appRole, LoginMethod::userpass, LoginMethod::ldap}) {
		EXPECT_EQ(told(afterLogin(method, refusal(400, "no"))), "material (refused)");
		EXPECT_EQ(told(afterLogin(method, reply(400, "<html>error page of a proxy"))), "material (refused)");
	}
	EXPECT_EQ(told(afterLogin(LoginMethod::jwt, refusal(400, "no"))), "configuration (config)");
}

TEST(LoginReplies, AServersWordsInAProxysPageDoNotCount)
{
	EXPECT_EQ(told(afterLogin(LoginMethod::jwt, reply(403, "permission denied"))), "passes (malformed)");
	EXPECT_EQ(told(afterLogin(LoginMethod::jwt, reply(400, "token is expired"))), "configuration (config)");
}

TEST(LoginReplies, ATokenArrivesHoweverJsonSpellsIt)
{
	const auto* const body = R"({"auth":{"client_token":"\u0073.A\/b\"\u00e4\ud83d\ude00","lease_duration":60}})";
	EXPECT_EQ(
		told(afterLogin(LoginMethod::jwt, reply(200, body))), "logged in for 60s; s.A/b\"\xC3\xA4\xF0\x9F\x98\x80");
}

TEST(LoginReplies, ATokenInAnUnexpectedPlaceIsNotTaken)
{
	for (const auto* body : {R"({"data":{"client_token":"s.T","lease_duration":60}})",
			 R"({"auth":{"metadata":{"client_token":"s.T"},"lease_duration":60}})",
			 R"({"client_token":"s.T","auth":{"lease_duration":60}})"}) {
		EXPECT_EQ(told(afterLogin(LoginMethod::jwt, reply(200, body))), "configuration (malformed)") << body;
	}
}

TEST(LoginReplies, ATokenWithALeaseOfZeroNeverEnds)
{
	EXPECT_EQ(told(afterLogin(LoginMethod::jwt, reply(200, R"({"auth":{"client_token":"s.T","lease_duration":0}})"))),
		"logged in for 0s; s.T");
}

TEST(LoginReplies, TheEndOfAnUnwrappedSecretIdIsCountedFromItsMaking)
{
	const WallTime made(std::chrono::seconds(1'000'000'000));
	auto answer = reply(200, R"({"data":{"secret_id":"SID","secret_id_num_uses":3,"secret_id_ttl":600}})");
	EXPECT_EQ(
		told(classify(unwrap(LoginMethod::appRole, "W", "", made), answer)), "secret_id, uses 3, ends 1000000600; SID");
}

TEST(LoginReplies, AWrappingTokenThatHeldSomethingElseIsSpent)
{
	auto token = reply(200, R"({"auth":{"client_token":"s.T","lease_duration":60}})");
	EXPECT_EQ(told(classify(unwrap(LoginMethod::appRole, "W", ""), token)), "spent (refused)");
	auto secretId = reply(200, R"({"data":{"secret_id":"SID"}})");
	EXPECT_EQ(told(classify(unwrap(LoginMethod::wrappedToken, "W", ""), secretId)), "spent (refused)");
	auto page = reply(200, "<html>Sign on");
	EXPECT_EQ(told(classify(unwrap(LoginMethod::appRole, "W", ""), page)), "configuration (malformed)")
		<< "it has not reached the server";
}

TEST(LoginReplies, AMissingReplyPassesUnlessItsCauseIsOurs)
{
	using Kind = ExchangeError::Kind;
	const auto toldOf = [](Kind kind) { return told(LoginReply{classifyLogin(ExchangeError{kind, "x"}), {}}); };
	EXPECT_EQ(toldOf(Kind::timeout), "passes (timeout)");
	EXPECT_EQ(toldOf(Kind::network), "passes (network)");
	EXPECT_EQ(toldOf(Kind::malformed), "passes (malformed)");
	EXPECT_EQ(toldOf(Kind::tls), "configuration (tls)");
	EXPECT_EQ(toldOf(Kind::configuration), "configuration (config)");
	EXPECT_EQ(toldOf(Kind::cancelled), "cancelled (none)");
	EXPECT_TRUE(classifyLogin(ExchangeError{Kind::network, "x", true}).unsent);
}

TEST(LoginReplies, AProbeThatDoesNotReachTheMountTellsWhy)
{
	const auto troubleOf = [](HttpReply reply) {
		const auto shown = classifyProbe(reply);
		const auto* const trouble = std::get_if<renewal::LoginTrouble>(&shown);
		return trouble != nullptr ? told(LoginReply{*trouble, {}}) : "";
	};
	EXPECT_EQ(troubleOf(refusal(503, "Vault is sealed")), "passes (sealed)");
	EXPECT_EQ(troubleOf(refusal(404, "namespace not found")), "configuration (config)");
	EXPECT_EQ(troubleOf(reply(302, "")), "passes (malformed)");
	auto other = refusal(400, "unknown words");
	EXPECT_EQ(std::get<MountKind>(classifyProbe(other)), MountKind::other);
}

constexpr std::string_view canary = "CANARYdoNotLogMe-0123456789";

std::string withCanary(std::string body)
{
	for (auto at = body.find('@'); at != body.npos; at = body.find('@')) {
		body.replace(at, 1, canary);
	}
	return body;
}

TEST(LoginReplies, NeverRepeatWhatALoginIsMadeOf)
{
	const std::string bodies[] = {
		R"({"errors":["invalid role or secret ID: @", "@"]})",
		R"({"errors":["failed to bind as user @"]})",
		R"({"errors":["@"]})",
		R"({"error":{"message":"@"},"message":"@"})",
		R"({"warnings":["@"],"auth":{"client_token":"","mfa_requirement":{"x":"@"}}})",
		"<html>request was @",
		"@",
	};
	for (const auto& body : bodies) {
		for (const auto method : {LoginMethod::appRole, LoginMethod::jwt, LoginMethod::userpass, LoginMethod::ldap}) {
			for (const int status : {200, 204, 307, 400, 403, 404, 429, 500, 503}) {
				auto answer = reply(status, withCanary(body));
				answer.location = withCanary("https://x/@");
				const auto identity = method == LoginMethod::appRole ? canary : "bob";
				const auto meaning = afterLogin(method, std::move(answer), {identity, canary});
				EXPECT_THAT(detailOf(meaning), Not(HasSubstr("CANARY"))) << status << " " << body;
			}
		}
	}
}

TEST(LoginReplies, TellARoleButNoRoleId)
{
	const auto unknown = refusal(400, "unknown " + std::string(canary));
	const LoginParts parts{canary, "SECRET-01234567"};
	EXPECT_THAT(detailOf(afterLogin(LoginMethod::appRole, unknown, parts)), Not(HasSubstr("CANARY")));
	EXPECT_THAT(detailOf(afterLogin(LoginMethod::jwt, unknown, parts)), HasSubstr(canary));
}

TEST(LoginReplies, APasswordThatIsAWordOfTheServersSentenceIsNotTold)
{
	for (const std::string_view password : {"password", "invalid", "a", "username"}) {
		const auto wrong =
			afterLogin(LoginMethod::userpass, refusal(400, "invalid username or password"), {"bob", password});
		EXPECT_EQ(told(wrong), "material (refused)") << "the verdict is found in the text as it is";
		EXPECT_THAT(detailOf(wrong), Not(HasSubstr("…"))) << "a gap would tell it";
	}
	const auto* const granted = R"({"auth":{"client_token":"s.T","lease_duration":60,"policies":["default"]}})";
	EXPECT_EQ(told(afterLogin(LoginMethod::userpass, reply(200, granted), {"bob", "auth"})),
		"logged in for 60s, default; s.T");
}

TEST(LoginReplies, LeaveNoBodyBehind)
{
	auto answer = reply(200, R"({"auth":{"client_token":"s.TOKEN-in-the-body","lease_duration":60}})");
	const auto size = answer.body.size();
	static_cast<void>(afterLogin(LoginMethod::jwt, answer));
	static_cast<void>(classify(logIn({LoginMethod::jwt, "auth/jwt", ""}, {"r", "j"}), answer));
	EXPECT_TRUE(answer.body.empty());
	EXPECT_EQ(std::string_view(answer.body.data(), size).find("s.TOKEN"), std::string_view::npos);
}

} // namespace
} // namespace issuer::vault::wire
