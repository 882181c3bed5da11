#pragma once

#include "base/result.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Where to connect and whom to trust, as plain comparable data: issuers with equal settings share connections.
namespace issuer::vault::transport {

/// One address of a server: `https://host:8200/prefix`, `http://[::1]:8200`, `unix:///run/bao.sock`.
struct Address
{
	enum class Scheme : std::uint8_t
	{
		http,
		https,
		unixSocket,
	};

	Scheme scheme = Scheme::https;
	std::string host; ///< name or numeric address, without brackets; empty for unixSocket
	std::uint16_t port = 0;
	std::string prefix;     ///< "" or "/prefix", without a slash at its end
	std::string socketPath; ///< only of unixSocket

	/// The error names what is wrong with `text` and what an address looks like.
	[[nodiscard]] static Result<Address> parse(std::string_view text);

	/// As a person would write it; never with user info or a query.
	[[nodiscard]] std::string text() const;

	friend auto operator<=>(const Address&, const Address&) = default;
};

/// How TLS verifies the server and shows who we are. All paths empty: the system's roots, no client certificate.
struct TlsIdentity
{
	std::string caFile;
	std::string caDir;
	std::string clientCert;
	std::string clientKey;
	std::string serverName; ///< expected in the certificate and sent as SNI; empty: the address's host
	bool insecureSkipVerify = false;

	friend auto operator<=>(const TlsIdentity&, const TlsIdentity&) = default;
};

enum class Redirects : std::uint8_t
{
	none,
	verified, ///< https to any target that passes the same TLS checks; plain http only to a configured address
	any,      ///< but never from https to http
};

struct Settings
{
	std::vector<Address> addresses; ///< at least one; tried in order, the last good one first
	TlsIdentity tls;
	Redirects redirects = Redirects::verified;
	std::string proxy; ///< "": none; "environment"; or http://host:port
	std::string userAgent;

	friend auto operator<=>(const Settings&, const Settings&) = default;
};

} // namespace issuer::vault::transport
