#pragma once

#include "common/result.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::observe::web {

/// An address to listen at, written as digits, so that no name server decides which hosts may connect.
struct ListenAddress
{
	std::string host; ///< without brackets
	std::uint16_t port = 0;

	[[nodiscard]] bool isLoopback() const;
	/// Returns it as in a URL: «127.0.0.1:9464», «[::1]:9464».
	[[nodiscard]] std::string text() const;

	friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// Reads «127.0.0.1:9464», «[::1]:9464», «localhost:9464», «9464» (loopback), «0.0.0.0:9464» or «:9464» (every
/// address). Port 0: the system chooses.
[[nodiscard]] Result<ListenAddress> parseListenAddress(std::string_view text);

struct TlsFiles
{
	std::filesystem::path certificate; ///< PEM, with its chain
	std::filesystem::path key;
	std::optional<std::filesystem::path>
		clientCa; ///< if given, clients without a certificate of this authority are refused

	friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

struct Settings
{
	ListenAddress listen{"127.0.0.1", 9464};
	std::optional<TlsFiles> tls;
	bool plainPublic = false; ///< the operator has confirmed that names and dates may be read in plain text

	friend bool operator==(const Settings&, const Settings&) = default;
};

/// Checks the settings. The page shows names and dates to any client: beyond this machine it is served only over TLS,
/// or with the operator's confirmation.
[[nodiscard]] Result<void> mayListen(const Settings& settings);

} // namespace issuer::observe::web
