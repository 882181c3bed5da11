#pragma once

#include "commands/fleet_config.h"
#include "common/result.h"
#include "observe/exec/exec.h"
#include "observe/web/listen.h"
#include "registry/spec.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace issuer::commands {

/// The file to which all events are written.
struct JournalConfig
{
	std::filesystem::path file;
	std::uint64_t maxBytes = 16ULL << 20;
	unsigned keep = 4; ///< number of old files kept, FILE.1 and up

	friend bool operator==(const JournalConfig&, const JournalConfig&) = default;
};

/// The configuration of `issuer-host run`.
struct HostConfig
{
	std::vector<registry::IssuerSpec> issuers;
	std::chrono::milliseconds stopTimeout{10'000};
	std::optional<std::filesystem::path> control; ///< path of its control socket; "none": it has none
	std::optional<std::string> controlGroup;      ///< group whose members may ask there for status; empty: none
	std::optional<observe::web::Settings> http;   ///< empty: it serves no page and no metrics
	std::optional<JournalConfig> journal;
	std::optional<FleetConfig> fleet;    ///< empty: it keeps its issuers alone
	std::vector<observe::ExecRule> exec; ///< commands and URLs that are told of credentials' turning points
	/// Time that the start of an issuer's new plugin may take before a swap is taken back.
	std::chrono::milliseconds swapTimeout{60'000};
	/// Faults that a lenient reading found, one sentence each. The part with the fault is left out: an issuer, or a
	/// setting, which then has its default.
	std::vector<std::string> faults;
	bool faultsPass = false; ///< one of them may not be there another time
	/// The files that it was read from, itself first.
	std::vector<std::filesystem::path> files;
	/// The file in which each issuer that is included stands, by name. The others stand in the first of `files`.
	std::map<std::string, std::filesystem::path> origins;
};

enum class Reading
{
	strict,  ///< any fault is an error: for a reload, which then changes nothing
	lenient, ///< for a start: one wrong issuer must not cost the others their credentials
};

/// Reads and decodes a configuration file and what it includes. The error names the files, lines and columns, and the
/// keys by their paths, one a line; it is a passing one where the file system or the writer of a pipe may answer later.
/// Waits for ten seconds for each file.
[[nodiscard]] Result<HostConfig> loadConfig(const std::filesystem::path& file, Reading reading = Reading::strict);

/// Decodes
///
///     {"issuers": [{"name": "team-a", "plugin": "/…/vault_plugin.so", "sha256": "…", "config": {…}}],
///      "include": "conf.d", "environment": ["VAULT_ADDR"],
///      "stop_timeout": "10s", "swap_timeout": "1m", "control": "/run/issuer-host/control.sock",
///      "http": {"listen": "127.0.0.1:9464", "plain_public": false,
///               "tls": {"certificate": "/….pem", "key": "/….key", "client_ca": "/….pem"}},
///      "journal": {"file": "/…/journal.jsonl", "max_mib": 16, "keep": 4},
///      "control_group": "issuer-status", "exec": [exec_config.h], "fleet": {fleet_config.h}}
///
/// where all but names, plugins and configs of issuers, certificate, key and file may be left out, and relative paths
/// start at `folder`. There may be comments, as of C++. Unknown keys are errors, as are names used twice. `config` is
/// for the plugin, which alone knows what is right there.
///
/// Where there is a "fleet", its hosts share the issuers, but for those that say "fleet": false.
///
/// "include" is a folder: each of its files *.json is one issuer, as it would stand in "issuers", with the file's name
/// for its own unless it says another; relative paths in it start there. ${NAME} in a string inside of `config` is
/// replaced where NAME stands in "environment", and nowhere else.
[[nodiscard]] Result<HostConfig> parseConfig(
	std::string json, const std::filesystem::path& folder, Reading reading = Reading::strict);

} // namespace issuer::commands
