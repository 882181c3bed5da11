#pragma once

#include "common/result.h"
#include "observe/web/listen.h"
#include "registry/spec.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace issuer::commands {

/// The file in which everything that happens is kept.
struct JournalConfig
{
	std::filesystem::path file;
	std::uint64_t maxBytes = 16ULL << 20;
	unsigned keep = 4; ///< old ones, FILE.1 and up
};

/// What `issuer-host run` is to do.
struct HostConfig
{
	std::vector<registry::IssuerSpec> issuers;
	std::chrono::milliseconds stopTimeout{10'000};
	std::optional<std::filesystem::path> control; ///< its socket; "none": it wants none
	std::optional<observe::web::Settings> http;   ///< none: it serves no page and no metrics
	std::optional<JournalConfig> journal;
	/// How long the start of an issuer's new plugin may take before a swap is taken back.
	std::chrono::milliseconds swapTimeout{60'000};
	/// Read leniently: what is wrong, one sentence each. It is left out: an issuer, or a setting, which is then as if
	/// it was not given.
	std::vector<std::string> faults;
};

enum class Reading
{
	strict,  ///< anything wrong is an error: at a reload nothing may change then
	lenient, ///< at a start one wrong issuer must not cost the others their credentials
};

/// Reads and decodes a configuration file. The error names the file, and the keys by their paths, one a line; it passes
/// where the file system or whoever writes into a pipe may answer later. Waits for that for ten seconds.
[[nodiscard]] Result<HostConfig> loadConfig(const std::filesystem::path& file, Reading reading = Reading::strict);

/// Decodes
///
///     {"issuers": [{"name": "team-a", "plugin": "/…/vault_plugin.so", "sha256": "…", "config": {…}}],
///      "stop_timeout": "10s", "swap_timeout": "1m", "control": "/run/issuer-host/control.sock",
///      "http": {"listen": "127.0.0.1:9464", "plain_public": false,
///               "tls": {"certificate": "/….pem", "key": "/….key", "client_ca": "/….pem"}},
///      "journal": {"file": "/…/journal.jsonl", "max_mib": 16, "keep": 4}}
///
/// where all but issuers, their names, plugins and configs, certificate, key and file may be left out, and relative
/// paths start at `folder`. Unknown keys are errors, as are names used twice. `config` is for the plugin, which alone
/// knows what is right there.
[[nodiscard]] Result<HostConfig> parseConfig(
	std::string_view json, const std::filesystem::path& folder, Reading reading = Reading::strict);

} // namespace issuer::commands
