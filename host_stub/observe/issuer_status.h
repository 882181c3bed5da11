#pragma once

#include <cstdint>
#include <issuer/health.h>
#include <optional>
#include <string>

namespace issuer::observe {

/// What the host is doing with an issuer. How its credential is, is another matter: see issuer_state.
enum class Phase
{
	starting, ///< its start is under way, or about to be
	running,
	waiting,  ///< its start failed and is tried again
	failed,   ///< its start failed, and only another configuration helps
	swapping, ///< it is being handed from one plugin or configuration to another
	stopping,
};

/// How one issuer stands, all of it at one moment.
struct IssuerStatus
{
	std::string name;
	std::string pluginId;
	std::string pluginName;
	std::string pluginVersion;
	std::string pluginPath; ///< without symbolic links
	std::string pluginSha256;
	Phase phase = Phase::starting;
	std::string problem;                         ///< the last start's or swap's failure in words; empty: it went well
	unsigned failedStarts = 0;                   ///< in a row
	std::optional<std::int64_t> nextStartUnixMs; ///< while waiting: when it is tried again
	/// As the plugin tells it; fields that an older plugin does not know are as «never, unknown, none» is written
	/// there. Empty: the plugin has no issuer.health/1.
	std::optional<issuer_health> health;
	std::string pluginWanted;     ///< as it is configured: a path, or a name such as «vault@0.1»
	std::int64_t sinceUnixMs = 0; ///< when its last start, swap or stop began
};

/// One JSON object on one line, times in ms since the Unix epoch; `health` has the names of the contract, codes as
/// words, and is null without issuer.health/1:
///
///     {"name":"team-a","phase":"running","problem":"","failed_starts":0,"next_start_unix_ms":null,
///      "plugin":{"id":"io.issuer.vault","name":"…","version":"1.0.0","path":"/…","sha256":"…"},
///      "health":{"state":"active","reason":"none","consecutive_failures":0,"expires_unix_ms":…,…}}
[[nodiscard]] std::string statusJson(const IssuerStatus& status);

} // namespace issuer::observe
