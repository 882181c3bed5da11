#include "base/wiped_json.h"
#include "wire/logins.h"
#include "wire/reply_keys.h"
#include "wire/vault_request.h"

#include <cstdint>
#include <string>

namespace issuer::vault::wire {
namespace {

using renewal::LoginMethod;
using renewal::LoginOperation;

/// Appends `text` as it may stand in a path; `keptToo`: a character that is written as it is, besides the usual ones.
void appendEncoded(std::string& path, std::string_view text, char keptToo)
{
	constexpr std::string_view digits = "0123456789ABCDEF";
	for (const char c : text) {
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (letter || c == '-' || c == '_' || c == '.' || c == '~' || c == keptToo) {
			path += c;
			continue;
		}
		const auto byte = static_cast<unsigned char>(c);
		path.append({'%', digits[byte >> 4], digits[byte & 15]});
	}
}

/// Returns the path of something on the mount: "/v1/auth/approle" and `below`, which is written as it is.
std::string pathOn(const LoginPlace& place, std::string_view below)
{
	std::string path = "/v1/";
	appendEncoded(path, withoutSlashes(place.mount), '/');
	return path.append(below);
}

std::string loginPath(const LoginPlace& place, std::string_view identity)
{
	auto path = pathOn(place, "/login");
	switch (place.method) {
	case LoginMethod::userpass:
	case LoginMethod::ldap:
		appendEncoded(path += '/', identity, '-');
		break;
	case LoginMethod::appRole:
	case LoginMethod::kubernetes:
	case LoginMethod::jwt:
	case LoginMethod::certificate:
	case LoginMethod::wrappedToken:
		break;
	}
	return path;
}

struct Field
{
	std::string_view name;
	std::string_view value; ///< empty: the field is left out
};

/// Returns a JSON object of these fields, in one piece of memory: growing would leave copies behind.
WipedString object(std::initializer_list<Field> fields)
{
	std::size_t size = 16; // more than a string keeps inside itself, where it is not wiped
	for (const auto& field : fields) {
		size += field.name.size() + field.value.size() * 6 + 6;
	}
	WipedString json;
	json.reserve(size);
	json += '{';
	for (const auto& field : fields) {
		if (!field.value.empty()) {
			json += json.size() > 1 ? "," : "";
			appendJsonString(json, field.name);
			json += ':';
			appendJsonString(json, field.value);
		}
	}
	json += '}';
	return json;
}

WipedString bodyOf(LoginMethod method, const LoginParts& parts)
{
	switch (method) {
	case LoginMethod::appRole:
		return object({{"role_id", parts.identity}, {"secret_id", parts.secret}});
	case LoginMethod::kubernetes:
	case LoginMethod::jwt:
		return object({{"role", parts.identity}, {"jwt", parts.secret}});
	case LoginMethod::certificate:
		return object({{"name", parts.identity}});
	case LoginMethod::userpass:
	case LoginMethod::ldap:
		return object({{"password", parts.secret}});
	case LoginMethod::wrappedToken:
		break;
	}
	return object({});
}

HttpRequest post(std::string path, std::string_view token, std::string_view vaultNamespace, WipedString body)
{
	auto request = vaultRequest("POST", std::move(path), token, vaultNamespace);
	request.headers.emplace_back("Content-Type", "application/json");
	request.body = std::move(body);
	request.reads = loginKeys();
	return request;
}

} // namespace

std::string_view defaultMount(LoginMethod method) noexcept
{
	switch (method) {
	case LoginMethod::appRole:
		return "auth/approle";
	case LoginMethod::kubernetes:
		return "auth/kubernetes";
	case LoginMethod::jwt:
		return "auth/jwt";
	case LoginMethod::certificate:
		return "auth/cert";
	case LoginMethod::userpass:
		return "auth/userpass";
	case LoginMethod::ldap:
		return "auth/ldap";
	case LoginMethod::wrappedToken:
		break;
	}
	return {};
}

LoginRequest logIn(const LoginPlace& place, const LoginParts& parts)
{
	auto http = post(loginPath(place, parts.identity), {}, place.vaultNamespace, bodyOf(place.method, parts));
	http.repeatable = false;
	http.readsCertificateFirst = place.method == LoginMethod::certificate;
	// A role's or a user's name may be told; a role_id is a secret to many.
	const bool isSecretToo = place.method == LoginMethod::appRole;
	return {std::move(http), LoginOperation::logIn, place.method,
		{parts.secret, isSecretToo ? parts.identity : std::string_view()}};
}

LoginRequest unwrap(
	LoginMethod method, std::string_view wrappingToken, std::string_view vaultNamespace, std::optional<WallTime> made)
{
	auto http = post("/v1/sys/wrapping/unwrap", wrappingToken, vaultNamespace, object({}));
	http.repeatable = false;
	return {std::move(http), LoginOperation::unwrap, method, {wrappingToken}, made};
}

LoginRequest lookUpWrapping(std::string_view wrappingToken, std::string_view vaultNamespace)
{
	return {post("/v1/sys/wrapping/lookup", {}, vaultNamespace, object({{"token", wrappingToken}})),
		LoginOperation::lookUpWrapping, LoginMethod::wrappedToken, {wrappingToken}};
}

LoginRequest lookUpSecretId(
	const LoginPlace& place, std::string_view token, std::string_view role, std::string_view secretId)
{
	auto path = pathOn(place, "/role/");
	appendEncoded(path, role, '-');
	return {post(path.append("/secret-id/lookup"), token, place.vaultNamespace, object({{"secret_id", secretId}})),
		LoginOperation::lookUpSecretId, place.method, {token, secretId}};
}

LoginRequest revokeSelf(std::string_view token, std::string_view vaultNamespace)
{
	return {post("/v1/auth/token/revoke-self", token, vaultNamespace, object({})), LoginOperation::revoke,
		LoginMethod::wrappedToken, {token}};
}

LoginRequest emptyLogin(const LoginPlace& place)
{
	auto http = post(loginPath(place, "nobody"), {}, place.vaultNamespace, object({}));
	http.reads = wordKeys();
	return {std::move(http), LoginOperation::logIn, place.method, {}};
}

} // namespace issuer::vault::wire
