#include "wire/logins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;
using renewal::LoginOperation;
using testing::Contains;
using testing::Pair;

LoginPlace at(LoginMethod method, std::string_view vaultNamespace = "")
{
	return {method, defaultMount(method), vaultNamespace};
}

TEST(LoginRequests, EachMethodHasItsPathAndItsFields)
{
	struct Case
	{
		LoginMethod method;
		std::string_view path;
		std::string_view body;
	};
	const Case cases[] = {
		{LoginMethod::appRole, "/v1/auth/approle/login", R"({"role_id":"WHO","secret_id":"SECRET"})"},
		{LoginMethod::kubernetes, "/v1/auth/kubernetes/login", R"({"role":"WHO","jwt":"SECRET"})"},
		{LoginMethod::jwt, "/v1/auth/jwt/login", R"({"role":"WHO","jwt":"SECRET"})"},
		{LoginMethod::certificate, "/v1/auth/cert/login", R"({"name":"WHO"})"},
		{LoginMethod::userpass, "/v1/auth/userpass/login/WHO", R"({"password":"SECRET"})"},
		{LoginMethod::ldap, "/v1/auth/ldap/login/WHO", R"({"password":"SECRET"})"},
	};
	for (const auto& [method, path, body] : cases) {
		const auto login = logIn(at(method), {"WHO", "SECRET"});
		EXPECT_EQ(login.http.method, "POST");
		EXPECT_EQ(login.http.path, path);
		EXPECT_EQ(login.http.body, body);
		EXPECT_EQ(login.http.secretHeader, "") << "a login carries no token";
		EXPECT_FALSE(login.http.repeatable) << "it may have made a token";
		EXPECT_EQ(login.operation, LoginOperation::logIn);
		EXPECT_THAT(login.http.headers, Contains(Pair("Content-Type", "application/json")));
	}
}

TEST(LoginRequests, PartsThatAreNotThereAreNotSent)
{
	EXPECT_EQ(logIn(at(LoginMethod::appRole), {"R", ""}).http.body, R"({"role_id":"R"})");
	EXPECT_EQ(logIn(at(LoginMethod::jwt), {"", "J"}).http.body, R"({"jwt":"J"})");
	EXPECT_EQ(logIn(at(LoginMethod::certificate), {"", ""}).http.body, "{}");
}

TEST(LoginRequests, AMountIsFoundHoweverItIsWritten)
{
	for (const auto* mount : {"auth/team a/approle", "/auth/team a/approle", "auth/team a/approle/"}) {
		EXPECT_EQ(logIn({LoginMethod::appRole, mount, ""}, {"R", "S"}).http.path, "/v1/auth/team%20a/approle/login");
	}
}

TEST(LoginRequests, AUsersNameCannotLeadToAnotherPath)
{
	EXPECT_EQ(logIn(at(LoginMethod::userpass), {"../x?y@z", "P"}).http.path, "/v1/auth/userpass/login/..%2Fx%3Fy%40z");
}

TEST(LoginRequests, AnySecretSurvivesItsWayIntoJson)
{
	EXPECT_EQ(logIn(at(LoginMethod::userpass), {"bob", "a\"b\\c\n\x01\x7F\xC3\xA4\xFF"}).http.body,
		"{\"password\":\"a\\\"b\\\\c\\u000a\\u0001\x7F\xC3\xA4\xFF\"}");
}

TEST(LoginRequests, ABodyIsNeverInsideTheObject)
{
	const auto isInside = [](const LoginRequest& request) {
		const auto* const begin = reinterpret_cast<const char*>(&request);
		return request.http.body.data() >= begin && request.http.body.data() < begin + sizeof request;
	};
	EXPECT_FALSE(isInside(logIn(at(LoginMethod::userpass), {"b", ""})));
	EXPECT_FALSE(isInside(logIn(at(LoginMethod::userpass), {"b", "p"})));
}

TEST(LoginRequests, TheNamespaceIsNamedInEach)
{
	const auto named = Contains(Pair("X-Vault-Namespace", "ns1"));
	EXPECT_THAT(logIn(at(LoginMethod::jwt, "ns1"), {"r", "j"}).http.headers, named);
	EXPECT_THAT(unwrap(LoginMethod::appRole, "W", "ns1").http.headers, named);
	EXPECT_THAT(lookUpWrapping("W", "ns1").http.headers, named);
	EXPECT_THAT(lookUpSecretId(at(LoginMethod::appRole, "ns1"), "T", "r", "S").http.headers, named);
	EXPECT_THAT(revokeSelf("T", "ns1").http.headers, named);
	EXPECT_THAT(emptyLogin(at(LoginMethod::jwt, "ns1")).http.headers, named);
}

TEST(LoginRequests, AWrappingTokenIsUsedAsATokenOnlyToUnwrap)
{
	const auto unwrapping = unwrap(LoginMethod::appRole, "W", "");
	EXPECT_EQ(unwrapping.http.path, "/v1/sys/wrapping/unwrap");
	EXPECT_EQ(unwrapping.http.secretHeader, "X-Vault-Token");
	EXPECT_EQ(unwrapping.http.secret, "W");
	EXPECT_FALSE(unwrapping.http.repeatable);

	const auto lookUp = lookUpWrapping("W", "");
	EXPECT_EQ(lookUp.http.path, "/v1/sys/wrapping/lookup");
	EXPECT_EQ(lookUp.http.secretHeader, "") << "most calls with a wrapping token destroy it";
	EXPECT_EQ(lookUp.http.body, R"({"token":"W"})");
	EXPECT_TRUE(lookUp.http.repeatable);
}

TEST(LoginRequests, ASecretIdIsLookedUpByTheNameOfItsRole)
{
	const auto request = lookUpSecretId(at(LoginMethod::appRole), "T", "my role", "S");
	EXPECT_EQ(request.http.path, "/v1/auth/approle/role/my%20role/secret-id/lookup");
	EXPECT_EQ(request.http.secret, "T");
	EXPECT_EQ(request.http.body, R"({"secret_id":"S"})");
}

TEST(LoginRequests, ATokenRevokesItself)
{
	const auto request = revokeSelf("T", "");
	EXPECT_EQ(request.http.path, "/v1/auth/token/revoke-self");
	EXPECT_EQ(request.http.secret, "T");
	EXPECT_TRUE(request.http.repeatable) << "a second one is told that the token is gone";
}

TEST(LoginRequests, AnEmptyLoginHoldsNothingAndMayBeRepeated)
{
	const auto probe = emptyLogin(at(LoginMethod::userpass));
	EXPECT_EQ(probe.http.path, "/v1/auth/userpass/login/nobody");
	EXPECT_EQ(probe.http.body, "{}");
	EXPECT_EQ(probe.http.secret, "");
	EXPECT_TRUE(probe.http.repeatable);
}

} // namespace
} // namespace issuer::vault::wire
