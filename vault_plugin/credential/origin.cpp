#include "credential/origin.h"

#include <cstdlib>

namespace issuer::vault::credential {
namespace {

/// Returns the key of the configuration at which a text of that kind stands.
std::string keyOf(TextKind kind)
{
	switch (kind) {
	case TextKind::token:
	case TextKind::wrappingToken:
		return "token.value";
	case TextKind::roleId:
		return "auth.role_id.value";
	case TextKind::secretId:
		return "auth.secret_id.value";
	case TextKind::jwt:
		return "auth.jwt.value";
	case TextKind::password:
		return "auth.password.value";
	case TextKind::certificate:
		return "tls.client_cert";
	}
	return {}; // unreachable: the switch names every kind
}

Result<Secret> secretIn(TextKind kind, const char* text)
{
	if (text == nullptr) {
		return failure("is not set");
	}
	return textIn(kind, text).map([](std::string_view part) { return Secret(part); });
}

} // namespace

std::string describe(const Origin& origin)
{
	switch (origin.kind) {
	case Origin::Kind::file:
		return std::string(nameOf(origin.text)) + " file " + origin.name;
	case Origin::Kind::environment:
		return "environment variable " + origin.name;
	case Origin::Kind::value:
		return keyOf(origin.text) + " of the configuration";
	case Origin::Kind::login:
		return "login at " + origin.name;
	}
	std::abort(); // unreachable: the switch names every kind
}

Result<Secret> readHere(const Origin& origin)
{
	auto secret =
		origin.kind == Origin::Kind::environment
			? secretIn(origin.text, std::getenv(origin.name.c_str()))
			: textIn(origin.text, origin.value.view()).map([](std::string_view part) { return Secret(part); });
	return std::move(secret).map_error([&](const Error& error) { return Error{describe(origin) + " " + error.text}; });
}

} // namespace issuer::vault::credential
