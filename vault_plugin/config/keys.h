#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace issuer::vault::config {

/// The path of every key of the configuration.
constexpr std::array<std::string_view, 61> keyPaths{
	"address",
	"namespace",
	"token",
	"token.file",
	"token.env",
	"token.value",
	"token.wrapped",
	"token.wrapped_path",
	"auth",
	"auth.method",
	"auth.mount",
	"auth.namespace",
	"auth.role_id",
	"auth.role_id.file",
	"auth.role_id.env",
	"auth.role_id.value",
	"auth.secret_id",
	"auth.secret_id.file",
	"auth.secret_id.env",
	"auth.secret_id.value",
	"auth.secret_id.wrapped",
	"auth.secret_id.wrapped_path",
	"auth.secret_id.remove_after_reading",
	"auth.role",
	"auth.jwt",
	"auth.jwt.file",
	"auth.jwt.env",
	"auth.jwt.value",
	"auth.name",
	"auth.username",
	"auth.password",
	"auth.password.file",
	"auth.password.env",
	"auth.password.value",
	"auth.relogin",
	"auth.relogin.ahead",
	"auth.relogin.rehearse",
	"auth.revoke_old",
	"auth.revoke_on_stop",
	"auth.sink",
	"auth.sink.file",
	"auth.sink.mode",
	"auth.sink.owner",
	"auth.sink.group",
	"tls",
	"tls.ca_file",
	"tls.ca_dir",
	"tls.client_cert",
	"tls.client_key",
	"tls.server_name",
	"tls.insecure_skip_verify",
	"renewal",
	"renewal.fraction",
	"renewal.jitter",
	"renewal.min_interval",
	"renewal.request_timeout",
	"renewal.increment",
	"startup",
	"startup_timeout",
	"proxy",
	"follow_redirects",
};

/// The last part of the paths of the keys whose strings are secrets.
constexpr std::string_view secretKey = "value";

/// The key whose string may hold a password.
constexpr std::string_view proxyKey = "proxy";

/// Returns "ca_file" of "tls.ca_file".
[[nodiscard]] constexpr std::string_view lastPart(std::string_view path)
{
	return path.substr(path.rfind('.') + 1); // npos + 1 is 0
}

[[nodiscard]] bool isKey(std::string_view path);

/// Returns whether an object stands at the key.
[[nodiscard]] bool isObject(std::string_view path);

/// Returns the key of ours, and how to write it, for a key of Vault Agent's at `path`: «role_id: {"file": …}» for
/// role_id_file_path.
[[nodiscard]] std::optional<std::string_view> agentsKey(std::string_view path);

/// Returns the key that was probably meant by `path`, which is none: a typing error away, or the same key in another
/// object.
[[nodiscard]] std::optional<std::string_view> nearestKey(std::string_view path);

} // namespace issuer::vault::config
