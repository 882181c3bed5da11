#include "config_auth.h"

#include "config_origin.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace issuer::vault {

using namespace std::chrono_literals;
using config::ObjectReader;
using config::refuse;
using credential::TextKind;
using renewal::LoginMethod;

namespace {

/// A method by its name, and the keys that only some methods have.
struct Method
{
	LoginMethod method;
	std::string_view name;
	std::string_view identity; ///< key of the part that names the identity
	std::string_view secret;   ///< key of the part that proves it; empty: the client certificate does
	TextKind kind;
};

constexpr std::array methods{
	Method{LoginMethod::appRole, "approle", "role_id", "secret_id", TextKind::secretId},
	Method{LoginMethod::kubernetes, "kubernetes", "role", "jwt", TextKind::jwt},
	Method{LoginMethod::jwt, "jwt", "role", "jwt", TextKind::jwt},
	Method{LoginMethod::certificate, "cert", "name", "", TextKind::certificate},
	Method{LoginMethod::userpass, "userpass", "username", "password", TextKind::password},
	Method{LoginMethod::ldap, "ldap", "username", "password", TextKind::password},
};

/// The file in which Kubernetes puts the token of a pod's service account.
constexpr auto serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

const Method& methodAt(const ObjectReader& auth)
{
	if (auth.find("method") == nullptr) {
		refuse("auth.method", "missing; approle, kubernetes, jwt, cert, userpass or ldap is wanted");
	}
	const auto method = methods.at(auth.choice("method", {"approle", "kubernetes", "jwt", "cert", "userpass", "ldap"}));
	return *std::ranges::find(methods, method.method, &Method::method);
}

/// Refuses keys that belong to other methods.
void refuseForeignKeys(const ObjectReader& auth, const Method& method)
{
	for (const auto& other : methods) {
		for (const auto key : {other.identity, other.secret}) {
			if (!key.empty() && key != method.identity && key != method.secret && auth.find(key) != nullptr) {
				refuse(auth.pathOf(key), "is not a key of method " + std::string(method.name));
			}
		}
	}
}

/// Reads a path of the server, such as that of a mount.
std::string serverPathAt(const ObjectReader& object, std::string_view key, const std::string& example)
{
	auto path = object.text(key);
	const auto isBad = [](char c) { return c <= ' ' || c >= '\x7f' || c == '?' || c == '#' || c == '%' || c == '\\'; };
	const auto isRelative = path.find("//") != path.npos || path.find("/.") != path.npos;
	if (object.find(key) != nullptr &&
		(!path.starts_with("auth/") || path.size() <= 5 || isRelative || std::ranges::any_of(path, isBad))) {
		refuse(object.pathOf(key), "a path such as " + example + " is wanted");
	}
	while (path.ends_with('/')) {
		path.pop_back();
	}
	return path;
}

std::string identityAt(const ObjectReader& auth, const Method& method)
{
	constexpr std::size_t longest = 512;
	auto name = auth.text(method.identity);
	const bool isThere = auth.find(method.identity) != nullptr;
	const bool isOptional = method.method == LoginMethod::jwt || method.method == LoginMethod::certificate;
	if (!isThere && !isOptional) {
		refuse(auth.pathOf(method.identity), "missing; method " + std::string(method.name) + " needs one");
	}
	if (isThere && (name.empty() || name.size() > longest)) {
		refuse(auth.pathOf(method.identity), "a name of 1 to 512 bytes is wanted");
	}
	return name;
}

/// Reads the secret part, and what belongs to it.
void readSecret(const ObjectReader& auth, const Method& method, LoginConfig& login)
{
	if (method.secret.empty()) {
		return;
	}
	const auto path = auth.pathOf(method.secret);
	if (auth.find(method.secret) == nullptr) {
		switch (method.method) {
		case LoginMethod::appRole:
			login.policy.hasSecretId = false;
			return;
		case LoginMethod::kubernetes:
			login.secret = {credential::Origin::Kind::file, serviceAccountToken, {}, TextKind::jwt};
			return;
		case LoginMethod::jwt:
		case LoginMethod::certificate:
		case LoginMethod::userpass:
		case LoginMethod::ldap:
		case LoginMethod::wrappedToken:
			refuse(
				path, R"(missing; where is it? Such as {"file": "/run/issuer/)" + std::string(method.secret) + "\"}");
		}
	}
	const auto secret = auth.object(method.secret);
	const bool isWrapped = method.method == LoginMethod::appRole && secret.flag("wrapped", false);
	login.secret = originAt(secret, path, isWrapped ? TextKind::wrappingToken : method.kind);
	if (method.method != LoginMethod::appRole) {
		return;
	}
	login.policy.wrappedPath = serverPathAt(secret, "wrapped_path", "auth/approle/role/web/secret-id");
	if (!isWrapped && secret.find("wrapped_path") != nullptr) {
		refuse(path + ".wrapped_path", "is of use only with wrapped: true");
	}
	login.removeAfterReading = secret.flag("remove_after_reading", false);
	if (login.removeAfterReading && secret.find("file") == nullptr) {
		refuse(path + ".remove_after_reading", "is of use only with file");
	}
}

credential::SinkFile sinkAt(const ObjectReader& auth)
{
	const auto object = auth.object("sink");
	if (object.find("file") == nullptr) {
		refuse("auth.sink.file", "missing; an absolute path such as /run/issuer/web.token is wanted");
	}
	credential::SinkFile sink;
	sink.file = std::filesystem::path(object.absolutePath("file")).lexically_normal();
	if (sink.file.ends_with('/')) {
		refuse("auth.sink.file", "a file is wanted, and this is a directory; such as " + sink.file + "web.token");
	}
	const auto mode = object.text("mode", "0600");
	const auto fits = [&](std::size_t at, std::string_view digits) { return digits.find(mode[at]) != digits.npos; };
	if (mode.size() != 4 || mode[0] != '0' || !fits(1, "46") || !fits(2, "0246") || !fits(3, "04")) {
		refuse("auth.sink.mode", R"(a mode such as "0600" or "0640" is wanted; others may read it at most)");
	}
	sink.mode = static_cast<mode_t>((mode[1] - '0') * 64 + (mode[2] - '0') * 8 + (mode[3] - '0'));
	for (auto [key, name] : {std::pair("owner", &sink.owner), std::pair("group", &sink.group)}) {
		*name = object.text(key);
		if (object.find(key) != nullptr && name->empty()) {
			refuse(std::string("auth.sink.") + key, "a name or number is wanted");
		}
	}
	return sink;
}

/// Refuses a sink in the place of a file that the login needs.
void refuseToOverwrite(const LoginConfig& login, const transport::TlsIdentity& tls)
{
	const auto nameOf = [](const std::optional<credential::Origin>& origin) {
		return origin && origin->kind == credential::Origin::Kind::file ? origin->name : std::string();
	};
	for (const auto& needed : {nameOf(login.roleId), nameOf(login.secret), tls.clientCert, tls.clientKey, tls.caFile}) {
		if (std::filesystem::path(needed).lexically_normal() == login.sink->file) {
			refuse("auth.sink.file", needed + " is a file that the login reads, and would be written over");
		}
	}
}

void readTimes(const ObjectReader& auth, renewal::LoginPolicy& policy)
{
	const auto relogin = auth.object("relogin");
	const auto* const ahead = relogin.find("ahead");
	const auto* const word = ahead != nullptr ? std::get_if<std::string>(&ahead->of) : nullptr;
	if (ahead != nullptr && (word == nullptr || *word != "auto")) {
		policy.ahead = relogin.duration("ahead", 0s, 1s, std::chrono::days(365));
	}
	policy.rehearse = relogin.duration("rehearse", 0s, 0s, std::chrono::days(365));
	const auto* const revoke = auth.find("revoke_old");
	const auto* const never = revoke != nullptr ? std::get_if<std::string>(&revoke->of) : nullptr;
	if (revoke != nullptr && (never == nullptr || *never != "never")) {
		policy.revokeOld = auth.duration("revoke_old", 0s, 0s, std::chrono::days(1));
	}
}

} // namespace

std::string namespaceAt(const ObjectReader& object, const std::string& otherwise)
{
	auto name = object.text("namespace", otherwise);
	if (!std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; })) {
		refuse(object.pathOf("namespace"), "a path such as team-a/project is wanted, of visible ASCII without blanks");
	}
	return name;
}

std::unique_ptr<LoginConfig> authAt(
	const ObjectReader& root, const transport::TlsIdentity& tls, const std::string& vaultNamespace)
{
	const auto auth = root.object("auth");
	const auto& method = methodAt(auth);
	refuseForeignKeys(auth, method);
	auto login = std::make_unique<LoginConfig>();
	login->policy.method = method.method;
	const auto usualMount = "auth/" + std::string(method.name);
	login->mount = serverPathAt(auth, "mount", usualMount);
	if (login->mount.empty()) {
		login->mount = usualMount;
	}
	login->vaultNamespace = namespaceAt(auth, vaultNamespace);
	if (method.method == LoginMethod::appRole) {
		if (auth.find("role_id") == nullptr) {
			refuse("auth.role_id", R"(missing; where is it? Such as {"file": "/etc/issuer/role-id"})");
		}
		login->roleId = originAt(auth.object("role_id"), "auth.role_id", TextKind::roleId);
	}
	else {
		login->identity = identityAt(auth, method);
	}
	readSecret(auth, method, *login);
	if (method.method == LoginMethod::certificate) {
		if (tls.clientCert.empty()) {
			refuse("tls.client_cert", "missing; method cert logs in with it, and renews with it");
		}
		login->secret = {credential::Origin::Kind::file, tls.clientCert, {}, TextKind::certificate};
	}
	readTimes(auth, login->policy);
	login->revokeOnStop = auth.flag("revoke_on_stop", false);
	if (auth.find("sink") != nullptr) {
		login->sink = sinkAt(auth);
		refuseToOverwrite(*login, tls);
	}
	return login;
}

std::unique_ptr<LoginConfig> wrappedTokenAt(const ObjectReader& token, const std::string& vaultNamespace)
{
	if (!token.flag("wrapped", false)) {
		if (token.find("wrapped_path") != nullptr) {
			refuse("token.wrapped_path", "is of use only with wrapped: true");
		}
		return nullptr;
	}
	auto login = std::make_unique<LoginConfig>();
	login->policy.method = LoginMethod::wrappedToken;
	login->policy.wrappedPath = serverPathAt(token, "wrapped_path", "auth/token/create");
	login->vaultNamespace = vaultNamespace;
	login->secret = originAt(token, "token", TextKind::wrappingToken);
	return login;
}

} // namespace issuer::vault
