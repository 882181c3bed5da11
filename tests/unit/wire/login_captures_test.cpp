#include "capture_files.h"
#include "told.h"
#include "wire/logins.h"

#include <gtest/gtest.h>
#include <map>

namespace issuer::vault::wire {
namespace {

using Poco::JSON::Object;
using renewal::LoginMethod;

/// The meaning of each recorded login, unwrapping, look-up and revocation.
const std::map<std::string, std::string> expected{
	// clang-format off
	{"login/approle", "logged in for 60s, role lr, default; s.TOKEN_A"},
	{"login/approle-batch", "logged in for 60s, not renewable, batch, role lr3, default; b.TOKEN_A"},
	{"login/approle-dead-token-header", "logged in for 60s, role a, default, selfrole; s.TOKEN_B"},
	{"login/approle-empty-secret-id", "configuration (config)"},
	{"login/approle-entity-disabled", "ambiguous (refused)"},
	{"login/approle-explicit-max", "logged in for 45s, capped, role k-explicit-max, default, selfrole; s.TOKEN_A"},
	{"login/approle-get", "configuration (config)"},
	{"login/approle-identity-policies", "logged in for 60s, role a, default, extra, idpol, selfrole; s.TOKEN_A"},
	{"login/approle-locked-out", "ambiguous (refused)"},
	{"login/approle-login-wrapped-reply", "configuration (config)"},
	{"login/approle-mount-batch", "logged in for 20s, not renewable, batch, capped, role a, default; b.TOKEN_A"},
	{"login/approle-namespace", "logged in for 60s, role n, default; s.TOKEN_A.NSSFX"},
	{"login/approle-namespace-locked", "passes (server)"},
	{"login/approle-namespace-missing", "material (refused)"},
	{"login/approle-namespace-no-mount", "ambiguous (refused)"},
	{"login/approle-namespace-nonexistent", "configuration (config)"},
	{"login/approle-no-bind", "logged in for 2764800s, role nb, default; s.TOKEN_A"},
	{"login/approle-no-default", "logged in for 60s, role k-no-default; s.TOKEN_A"},
	{"login/approle-no-role-id", "configuration (config)"},
	{"login/approle-no-secret-id", "configuration (config)"},
	{"login/approle-no-ttl", "logged in for 2764800s, role k-no-ttl, default, selfrole; s.TOKEN_A"},
	{"login/approle-num-uses", "logged in for 60s, uses 5, role k-num-uses, default, selfrole; s.TOKEN_A"},
	{"login/approle-periodic", "logged in for 30s, role k-periodic, default, selfrole; s.TOKEN_A"},
	{"login/approle-role-cidr", "configuration (config)"},
	{"login/approle-role-deleted", "material (refused)"},
	{"login/approle-secret-id-cidr", "configuration (config)"},
	{"login/approle-secret-id-cidr-num-uses", "configuration (config)"},
	{"login/approle-secret-id-destroyed", "material (refused)"},
	{"login/approle-secret-id-expired", "logged in for 60s, role exp, default, selfrole; s.TOKEN_A"},
	{"login/approle-secret-id-used-up", "material (refused)"},
	{"login/approle-service", "logged in for 60s, role a, default, selfrole; s.TOKEN_A"},
	{"login/approle-token-cidr", "logged in for 60s, role tcidr, default, selfrole; s.TOKEN_A"},
	{"login/approle-ttl-over-mount-max", "logged in for 20s, capped, role a, default; s.TOKEN_A"},
	{"login/approle-wrong-role-id", "material (refused)"},
	{"login/approle-wrong-secret-id", "material (refused)"},
	{"login/cert", "logged in for 60s, default; s.TOKEN_A"},
	{"login/cert-common-name", "configuration (config)"},
	{"login/cert-expired", "material (refused)"},
	{"login/cert-no-certificate", "configuration (config)"},
	{"login/cert-not-trusted", "configuration (config)"},
	{"login/cert-over-plain-http", "configuration (config)"},
	{"login/cert-role-unknown", "configuration (config)"},
	{"login/jwt", "logged in for 60s, default; s.TOKEN_A"},
	{"login/jwt-bound-claims", "configuration (config)"},
	{"login/jwt-bound-subject", "configuration (config)"},
	{"login/jwt-default-role", "logged in for 60s, default; s.TOKEN_A"},
	{"login/jwt-empty", "configuration (config)"},
	{"login/jwt-expired", "material (refused)"},
	{"login/jwt-jwks-unreachable", "passes (server)"},
	{"login/jwt-malformed", "material (refused)"},
	{"login/jwt-newline", "logged in for 60s, default; s.TOKEN_A"},
	{"login/jwt-not-yet-valid", "passes (refused)"},
	{"login/jwt-role-unknown", "configuration (config)"},
	{"login/jwt-wrong-audience", "configuration (config)"},
	{"login/jwt-wrong-issuer", "configuration (config)"},
	{"login/jwt-wrong-signature", "material (refused)"},
	{"login/kubernetes", "logged in for 60s, default; s.TOKEN_A"},
	{"login/kubernetes-audience", "configuration (config)"},
	{"login/kubernetes-jwt-expired", "material (refused)"},
	{"login/kubernetes-malformed", "passes (server)"},
	{"login/kubernetes-review-500", "passes (server)"},
	{"login/kubernetes-review-down", "passes (server)"},
	{"login/kubernetes-review-forbidden", "passes (server)"},
	{"login/kubernetes-review-not-authenticated", "passes (server)"},
	{"login/kubernetes-review-unauthorized", "passes (server)"},
	{"login/kubernetes-role-unknown", "configuration (config)"},
	{"login/kubernetes-wrong-name", "configuration (config)"},
	{"login/kubernetes-wrong-namespace", "configuration (config)"},
	{"login/ldap", "logged in for 60s, default; s.TOKEN_A"},
	{"login/ldap-after-outage", "logged in for 60s, default; s.TOKEN_A"},
	{"login/ldap-empty-password", "material (refused)"},
	{"login/ldap-server-down", "passes (server)"},
	{"login/ldap-wrong-password", "material (refused)"},
	{"login/leader-killed", "passes (server)"},
	{"login/mfa-required", "configuration (config)"},
	{"login/mount-disabled", "ambiguous (refused)"},
	{"login/not-initialised", "passes (sealed)"},
	{"login/rate-limited", "passes (throttled)"},
	{"login/revoke-self", "revoked"},
	{"login/revoke-self-again", "revoked"},
	{"login/revoke-self-batch", "revoked"},
	{"login/revoke-self-no-policy", "forbidden (refused)"},
	{"login/sealed", "passes (sealed)"},
	{"login/secret-id-expired-tidied", "material (refused)"},
	{"login/secret-id-lookup-default", "forbidden (refused)"},
	{"login/secret-id-lookup-gone", "no such secret_id"},
	{"login/secret-id-lookup-own", "secret_id, uses 6, ends 1795693809.988066"},
	{"login/secret-id-unwrap", "secret_id; SECRET_ID_A"},
	{"login/secret-id-unwrap-again", "spent (refused)"},
	{"login/secret-id-unwrap-expired", "spent (refused)"},
	{"login/standby-batch", "logged in for 600s, not renewable, batch, role b, default; b.TOKEN_A"},
	{"login/standby-forwarded", "logged in for 600s, role a, default; s.TOKEN_A"},
	{"login/standby-no-forwarding", "passes (server)"},
	{"login/standby-unwrap", "secret_id; SECRET_ID_A"},
	{"login/token-unwrap", "logged in for 60s, role a, default, selfrole; s.TOKEN_B"},
	{"login/unwrap-after-lost-answer", "spent (refused)"},
	{"login/unwrap-leader-killed", "passes (server)"},
	{"login/unwrap-ordinary-token", "spent (refused)"},
	{"login/unwrap-sealed", "passes (sealed)"},
	{"login/unwrap-unknown", "spent (refused)"},
	{"login/userpass", "logged in for 60s, default; s.TOKEN_A"},
	{"login/userpass-cidr", "ambiguous (refused)"},
	{"login/userpass-empty-password", "material (refused)"},
	{"login/userpass-locked-out", "ambiguous (refused)"},
	{"login/userpass-unknown-user", "material (refused)"},
	{"login/userpass-wrong-password", "material (refused)"},
	{"login/wrapping-lookup", "auth/approle/role/a/secret-id, made 1795690209.998788, ends 1795690269.998788"},
	{"login/wrapping-lookup-header", "auth/approle/role/a/secret-id, made 1795690209.998788, ends 1795690269.998788"},
	{"login/wrapping-lookup-token", "auth/token/create, made 1795690211.516560, ends 1795690271.516560"},
	{"login/wrapping-lookup-used", "spent (refused)"},
	{"login/wrong-mount", "ambiguous (refused)"},
	// clang-format on
};

/// The kind of mount that each recorded empty login shows.
const std::map<std::string, MountKind> expectedProbes{
	{"login/empty-approle", MountKind::appRole},
	{"login/empty-cert", MountKind::certificate},
	{"login/empty-jwt", MountKind::jwtOrKubernetes},
	{"login/empty-kubernetes", MountKind::jwtOrKubernetes},
	{"login/empty-ldap", MountKind::ldap},
	{"login/empty-nosuch", MountKind::none},
	{"login/empty-userpass", MountKind::userpass},
	{"login/empty-userpass-unknown", MountKind::userpass},
};

LoginMethod methodOf(std::string_view path)
{
	const std::pair<std::string_view, LoginMethod> mounts[] = {
		{"/kubernetes/", LoginMethod::kubernetes},
		{"/jwt/", LoginMethod::jwt},
		{"/jwk/", LoginMethod::jwt},
		{"/cert/", LoginMethod::certificate},
		{"/userpass/", LoginMethod::userpass},
		{"/ldap/", LoginMethod::ldap},
	};
	for (const auto& [mount, method] : mounts) {
		if (path.find(mount) != path.npos) {
			return method;
		}
	}
	return LoginMethod::appRole;
}

std::string text(const Object& body, const std::string& key)
{
	return body.has(key) ? body.getValue<std::string>(key) : "";
}

/// Returns the reply to the request that this room makes in place of the recorded one.
std::string answerIn(const Object& capture, const std::string& name)
{
	const auto recorded = capture.getObject("request");
	const auto path = recorded->getValue<std::string>("path");
	const auto method = methodOf(path);
	auto reply = replyIn(capture);
	if (path.ends_with("/unwrap")) {
		const bool isToken = name.starts_with("login/token-");
		return told(
			classify(unwrap(isToken ? LoginMethod::wrappedToken : LoginMethod::appRole, "s.TOKEN_A", ""), reply));
	}
	if (path.ends_with("/wrapping/lookup")) {
		return told(classify(lookUpWrapping("s.TOKEN_A", ""), reply));
	}
	if (path.ends_with("/secret-id/lookup")) {
		return told(classify(lookUpSecretId({method, "auth/approle", ""}, "s.TOKEN_A", "a", "SECRET_ID_A"), reply));
	}
	if (path.ends_with("/revoke-self")) {
		return told(classify(revokeSelf("s.TOKEN_A", ""), reply));
	}
	const auto body = recorded->isObject("body") ? recorded->getObject("body") : Object::Ptr(new Object);
	const auto identity = method == LoginMethod::appRole ? text(*body, "role_id") : "web";
	const auto secret = text(*body, "secret_id") + text(*body, "jwt") + text(*body, "password");
	return told(classify(logIn({method, defaultMount(method), ""}, {identity, secret}), reply));
}

/// Returns whether the recorded exchange is one of those that this room makes, beside look-ups and renewals.
bool isOurs(const Object& capture)
{
	const auto recorded = capture.getObject("request");
	const auto path = recorded->getValue<std::string>("path");
	return path.find("/login") != path.npos || path.ends_with("/unwrap") || path.ends_with("/wrapping/lookup") ||
		   path.ends_with("/secret-id/lookup") || path.ends_with("/revoke-self");
}

TEST(LoginCaptures, EachHasAnExpectation)
{
	std::size_t found = 0;
	for (const auto& name : captureNames()) {
		if (!name.starts_with("login/") || !isOurs(*readCapture(name))) {
			continue;
		}
		EXPECT_TRUE(expected.contains(name) || expectedProbes.contains(name)) << name;
		++found;
	}
	EXPECT_EQ(found, expected.size() + expectedProbes.size());
}

TEST(LoginCaptures, EachIsUnderstood)
{
	for (const auto& [name, answer] : expected) {
		EXPECT_EQ(answerIn(*readCapture(name), name), answer) << name;
	}
}

TEST(LoginCaptures, AnEmptyLoginShowsTheKindOfTheMount)
{
	for (const auto& [name, kind] : expectedProbes) {
		auto reply = replyIn(*readCapture(name));
		const auto shown = classifyProbe(reply);
		ASSERT_TRUE(std::holds_alternative<MountKind>(shown)) << name;
		EXPECT_EQ(std::get<MountKind>(shown), kind) << name;
	}
}

} // namespace
} // namespace issuer::vault::wire
