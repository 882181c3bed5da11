#pragma once

#include "base/result.h"
#include "base/wiped.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Addresses to connect to and authorities to trust, as plain comparable data: issuers with equal settings share
/// connections.
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
	/// Name or numeric address as the resolver takes it: without brackets, with a zone (`fe80::1%eth0`) and the dot
	/// behind a name that is complete. Neither belongs into a certificate, SNI or a Host header. Empty for unixSocket.
	std::string host;
	std::uint16_t port = 0;
	std::string prefix;     ///< "" or "/prefix", without a slash at its end
	std::string socketPath; ///< of unixSocket only
	/// Of a proxy only: the whole header line `Proxy-Authorization: Basic …`, with CRLF, or empty. Secret; such a line
	/// is too long for the part of a string that is not wiped.
	WipedString authorization{};

	/// Reads the address of a server. The error continues a sentence after the name of its place, tells the fault and
	/// the form of an address, and quotes nothing: the text in the wrong place may be a token.
	[[nodiscard]] static Result<Address> parse(std::string_view text);

	/// Reads the address of a proxy: `http://user:password@host:port`, of which scheme and user may be left out. The
	/// error is as parse()'s.
	[[nodiscard]] static Result<Address> parseProxy(std::string_view text);

	/// Returns it as an operator would write it; never with user info or a query.
	[[nodiscard]] std::string text() const;

	friend auto operator<=>(const Address&, const Address&) = default;
};

/// TLS settings: the roots that verify the server, and the client certificate. All paths empty: the system's roots, no
/// client certificate.
struct TlsIdentity
{
	std::string caFile;
	std::string caDir;
	std::string clientCert;
	std::string clientKey;
	std::string serverName; ///< name expected in the certificate and sent as SNI; empty: the address's host
	bool insecureSkipVerify = false;

	friend auto operator<=>(const TlsIdentity&, const TlsIdentity&) = default;
};

enum class Redirects : std::uint8_t
{
	none,
	verified, ///< https to any target that passes the same TLS checks; plain http only to a configured address
	any,      ///< any target, but never from https to http
};

struct Settings
{
	std::vector<Address> addresses; ///< at least one; tried in order, the last good one first
	TlsIdentity tls;
	Redirects redirects = Redirects::verified;
	std::string proxy;              ///< "": none; "environment"; or http://host:port
	WipedString proxyAuthorization; ///< Address::authorization of the proxy at http://host:port
	std::string userAgent;

	friend auto operator<=>(const Settings&, const Settings&) = default;
};

} // namespace issuer::vault::transport
