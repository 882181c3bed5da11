#pragma once

#include <Poco/Dynamic/Var.h>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace issuer::commands {

/// The fleet that a host belongs to, and the etcd that it meets the others at.
struct FleetConfig
{
	struct Etcd
	{
		std::vector<std::string> endpoints; ///< «https://host:port», at least one
		std::filesystem::path caFile;       ///< empty, as are the others: not given
		std::filesystem::path clientCert;
		std::filesystem::path clientKey;
		std::string serverName;
		std::string user;
		std::filesystem::path passwordFile;

		friend bool operator==(const Etcd&, const Etcd&) = default;
	};

	std::string name;
	std::string member;                         ///< this host's name in the fleet
	std::chrono::milliseconds takeover{10'000}; ///< time to live of a member's lease
	std::string url;                            ///< of this host's page, for other hosts and people; empty: none
	std::filesystem::path caFile;               ///< authorities of the other hosts' pages; empty: the system's
	Etcd etcd;

	friend bool operator==(const FleetConfig&, const FleetConfig&) = default;
};

/// What tells a host from the others that have the same configuration.
struct OwnName
{
	std::string member;
	std::string url; ///< of its page; empty: not known
};

/// Decodes the configuration's "fleet",
///
///     {"name": "prod", "member": "host-a", "takeover": "10s", "url": "https://host-a.example:9464",
///      "ca_file": "…",
///      "etcd": {"endpoints": ["https://etcd-1.example:2379"], "ca_file": "…", "client_cert": "…",
///               "client_key": "…", "server_name": "…", "user": "issuer-host", "password": {"file": "…"},
///               "plain": false}}
///
/// where `name` and `etcd.endpoints` must be given, `member` and `url` are those of `own` unless given, and relative
/// paths start at `folder`. Endpoints of other machines without TLS want `plain`. Throws Wrong.
[[nodiscard]] FleetConfig fleetAt(
	const Poco::Dynamic::Var& value, const std::filesystem::path& folder, const OwnName& own);

/// Returns the name of this machine and the URL of $ISSUER_HOST_URL.
[[nodiscard]] OwnName ownName();

/// Returns the name of this machine, up to the first dot.
[[nodiscard]] std::string shortHostName();

} // namespace issuer::commands
