#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace issuer::vault::config {

/// The path of every key of the configuration.
constexpr std::array<std::string_view, 23> keyPaths{
	"address",
	"namespace",
	"token",
	"token.file",
	"token.env",
	"token.value",
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

/// The last part of the path of the one key whose string is a secret.
constexpr std::string_view secretKey = "value";

/// The key whose string may hold a password.
constexpr std::string_view proxyKey = "proxy";

/// Returns "ca_file" of "tls.ca_file".
[[nodiscard]] constexpr std::string_view lastPart(std::string_view path)
{
	return path.substr(path.rfind('.') + 1); // npos + 1 is 0
}

[[nodiscard]] bool isKey(std::string_view path);

/// Returns the key that was probably meant by `path`, which is none: a typing error away, or the same key in another
/// object.
[[nodiscard]] std::optional<std::string_view> nearestKey(std::string_view path);

} // namespace issuer::vault::config
