#pragma once

#include <cstdint>
#include <issuer/health.h>
#include <optional>
#include <string>

namespace issuer::observe {

/// The host's own phase of an issuer. The state of its credential is separate: see issuer_state.
enum class Phase
{
	starting, ///< its start is under way or imminent
	running,
	waiting,  ///< its start failed and is tried again
	failed,   ///< its start failed, and the host does not try again by itself
	swapping, ///< being handed from one plugin or configuration to another
	stopping,
	elsewhere, ///< configured here, and kept by another host of the fleet, or about to be
};

/// The state of one issuer at one moment.
struct IssuerStatus
{
	std::string name;
	std::string pluginId;
	std::string pluginName;
	std::string pluginVersion;
	std::string pluginPath; ///< absolute, symbolic links resolved
	std::string pluginSha256;
	Phase phase = Phase::starting;
	std::string problem;                         ///< failure of the last start or swap; empty: it succeeded
	unsigned failedStarts = 0;                   ///< in a row
	std::optional<std::int64_t> nextStartUnixMs; ///< while waiting: time of the next try
	/// The plugin's own view. Fields that an older plugin does not have hold the value for «never, unknown, none».
	/// Empty: the plugin has no issuer.health/1.
	std::optional<issuer_health> health;
	std::string pluginWanted;     ///< as configured: a path, or a name such as «vault@0.1»
	std::int64_t sinceUnixMs = 0; ///< time at which its last start, swap or stop began
	std::string keptBy = {};      ///< name of the member of the fleet that is to keep it; empty: there is none to name
};

/// One JSON object on one line, times in ms since the Unix epoch; `health` has the names of the contract, codes as
/// words, and is null without issuer.health/1:
///
///     {"name":"team-a","phase":"running","problem":"","failed_starts":0,"next_start_unix_ms":null,
///      "plugin":{"id":"io.issuer.vault","name":"…","version":"1.0.0","path":"/…","sha256":"…"},
///      "health":{"state":"active","reason":"none","consecutive_failures":0,"expires_unix_ms":…,…}}
[[nodiscard]] std::string statusJson(const IssuerStatus& status);

} // namespace issuer::observe
