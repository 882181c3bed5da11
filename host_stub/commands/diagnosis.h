#pragma once

#include "commands/host_config.h"
#include "registry/plugin_instance.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace issuer::commands {

/// The doctor's findings about one subject: an issuer, or the fleet.
struct Diagnosis
{
	std::string subject; ///< name of the issuer; of the fleet, «fleet NAME»
	std::string by;      ///< plugin's name and version; empty: it could not be loaded. Of the fleet, its engine
	std::vector<registry::Finding> findings;
};

/// Looks at all issuers, up to sixteen at a time: the plugin, the configuration, the readers of its secrets, and
/// everything that the plugin checks, each for `timeout` at most; with `login` also by a login. Starts none. Calls
/// `tell` with each diagnosis in the order of the issuers, as soon as it and those before it are there; on a terminal
/// shows meanwhile on stderr how many are done.
[[nodiscard]] std::vector<Diagnosis> diagnoseAll(const HostConfig& config, std::chrono::milliseconds timeout,
	bool login, const std::function<void(const Diagnosis&)>& tell);

/// All that the doctor has found.
struct Diagnoses
{
	std::vector<Diagnosis> issuers;
	std::optional<Diagnosis> fleet; ///< none: it was not looked at
};

/// Returns the number of findings of that level.
[[nodiscard]] std::size_t countOf(const Diagnoses& diagnoses, issuer_finding_level level);

/// Formats for people one diagnosis, and the counts below all.
[[nodiscard]] std::string diagnosisForPeople(const Diagnosis& diagnosis, bool colours);
[[nodiscard]] std::string summaryForPeople(const Diagnoses& diagnoses);

/// Formats all as one JSON object on one line.
[[nodiscard]] std::string diagnosesAsJson(const Diagnoses& diagnoses);

} // namespace issuer::commands
