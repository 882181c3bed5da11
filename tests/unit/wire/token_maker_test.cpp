#include "capture_files.h"
#include "wire/reply_keys.h"
#include "wire/token_maker.h"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

/// The login that made a token, as a look-up of the token tells.
namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;

/// Returns what the transport leaves of a reply with that `data`.
HttpReply lookUp(std::string_view data)
{
	HttpReply reply;
	reply.status = 200;
	reply.body = R"({"data":)" + WipedString(data) + "}";
	return reply;
}

TEST(TokenMaker, IsToldByTheLookUpOfARealServer)
{
	const auto capture = readCapture("revoked/approle-role-deleted-lookup");
	auto reply = replyIn(*capture);
	JsonSieve sieve(replyKeys());
	sieve.add(reply.body.data(), reply.body);
	sieve.end();
	reply.body.resize(sieve.kept());
	EXPECT_EQ(makerIn(reply).path, "auth/approle/login");
	EXPECT_EQ(makerIn(reply).role, "") << "that of an AppRole has a name that no configuration knows";
}

TEST(TokenMaker, IsOurLoginWhateverTheSlashesAndTheSpellingOfTheNamespace)
{
	const auto inRoot = makerIn(lookUp(R"({"path":"auth/approle/login"})"));
	EXPECT_EQ(differenceOf(inRoot, {LoginMethod::appRole, "/auth/approle/", ""}, ""), "");
	const auto inTeam = makerIn(lookUp(R"({"namespace_path":"team-a/","path":"auth/approle/login"})"));
	EXPECT_EQ(differenceOf(inTeam, {LoginMethod::appRole, "auth/approle", "team-a"}, ""), "");
	EXPECT_EQ(differenceOf(inTeam, {LoginMethod::appRole, "team-a/auth/approle", ""}, ""), "") << "by the path";
	const auto ofUser = makerIn(lookUp(R"({"path":"auth/ldap/login/anna"})"));
	EXPECT_EQ(differenceOf(ofUser, {LoginMethod::ldap, "auth/ldap", ""}, "Anna"), "");
	const auto ofRole = makerIn(lookUp(R"({"path":"auth/cert/login","meta":{"cert_name":"web"}})"));
	EXPECT_EQ(differenceOf(ofRole, {LoginMethod::certificate, "auth/cert", ""}, "web"), "");
	EXPECT_EQ(differenceOf(ofRole, {LoginMethod::certificate, "auth/cert", ""}, ""), "") << "any role will do";
	EXPECT_EQ(differenceOf(makerIn(lookUp("{}")), {LoginMethod::appRole, "auth/approle", ""}, ""), "") << "not told";
}

TEST(TokenMaker, OfAnotherMountNamespaceUserOrRoleIsNamed)
{
	const auto ours = makerIn(lookUp(R"({"path":"auth/approle/login"})"));
	EXPECT_EQ(differenceOf(ours, {LoginMethod::appRole, "auth/prod", ""}, ""),
		"it was made at auth/approle/login, not at auth/prod/login");
	EXPECT_EQ(differenceOf(ours, {LoginMethod::appRole, "auth/approle", "team-a"}, ""),
		"it was made at auth/approle/login, not at team-a/auth/approle/login");
	const auto ofUser = makerIn(lookUp(R"({"path":"auth/ldap/login/anna"})"));
	EXPECT_EQ(differenceOf(ofUser, {LoginMethod::ldap, "auth/ldap", ""}, "berta"),
		"it was made at auth/ldap/login/anna, not at auth/ldap/login/berta");
	const auto ofRole = makerIn(lookUp(R"({"path":"auth/kubernetes/login","meta":{"role":"shop"}})"));
	EXPECT_EQ(differenceOf(ofRole, {LoginMethod::kubernetes, "auth/kubernetes", ""}, "web"),
		"it was made with the role shop, not with web");
}

} // namespace
} // namespace issuer::vault::wire
