#include "wire/token_maker.h"

#include "wire/sieved_values.h"
#include "wire/vault_request.h"

#include <Poco/String.h>

namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;

/// Returns "a/b" of "a/" and "/b"; empty parts are left out.
std::string joined(std::string_view first, std::string_view second)
{
	std::string all(withoutSlashes(first));
	const auto rest = withoutSlashes(second);
	return all.append(all.empty() || rest.empty() ? "" : "/").append(rest);
}

/// Returns the path that tokens of a login are told to be from.
std::string pathOfLogins(const LoginPlace& place, std::string_view identity)
{
	const auto login = joined(joined(place.vaultNamespace, place.mount), "login");
	const bool isOfUser = place.method == LoginMethod::userpass || place.method == LoginMethod::ldap;
	return isOfUser ? joined(login, identity) : login;
}

/// Returns whether the identity of a login is a role, which its tokens name.
bool isRole(LoginMethod method)
{
	switch (method) {
	case LoginMethod::kubernetes:
	case LoginMethod::jwt:
	case LoginMethod::certificate:
		return true;
	case LoginMethod::appRole: // tokens name the role, and the configuration its role_id
	case LoginMethod::userpass:
	case LoginMethod::ldap:
	case LoginMethod::wrappedToken:
		return false;
	}
	return false; // unreachable: the switch names every method
}

} // namespace

TokenMaker makerIn(const HttpReply& reply)
{
	std::string inNamespace;
	TokenMaker maker;
	forEachValue(reply.body, [&](const SievedValue& value) {
		if (value.kind != SievedValue::Kind::text) {
			return;
		}
		if (value.path == "data/path") {
			maker.path = value.text;
		}
		else if (value.path == "data/namespace_path") {
			inNamespace = value.text;
		}
		else if (value.path == "data/meta/role" || value.path == "data/meta/cert_name") {
			maker.role = value.text;
		}
	});
	maker.path = maker.path.empty() ? std::string() : joined(inNamespace, maker.path);
	return maker;
}

std::string differenceOf(const TokenMaker& maker, const LoginPlace& place, std::string_view identity)
{
	const auto ours = pathOfLogins(place, identity);
	if (!maker.path.empty() && Poco::icompare(maker.path, ours) != 0) {
		return "it was made at " + maker.path + ", not at " + ours;
	}
	const std::string role(isRole(place.method) ? identity : std::string_view());
	if (!role.empty() && !maker.role.empty() && Poco::icompare(maker.role, role) != 0) {
		return "it was made with the role " + maker.role + ", not with " + role;
	}
	return {};
}

} // namespace issuer::vault::wire
