#pragma once

#include "commands/host_config.h"
#include "registry/plugin_instance.h"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace issuer::commands {

/// The doctor's findings about one issuer.
struct Diagnosis
{
	std::string issuer;
	std::string plugin; ///< name and version; empty: it could not be loaded
	std::vector<registry::Finding> findings;
};

/// Looks at all issuers, up to sixteen at a time: the plugin, the configuration, the readers of its secrets, and
/// everything that the plugin checks, each for `timeout` at most; with `login` also by a login. Starts none. Calls
/// `tell` with each diagnosis in the order of the issuers, as soon as it and those before it are there; on a terminal
/// shows meanwhile on stderr how many are done.
[[nodiscard]] std::vector<Diagnosis> diagnoseAll(const HostConfig& config, std::chrono::milliseconds timeout,
	bool login, const std::function<void(const Diagnosis&)>& tell);

/// Returns the number of findings of that level.
[[nodiscard]] std::size_t countOf(const std::vector<Diagnosis>& diagnoses, issuer_finding_level level);

/// Formats for people one diagnosis, and the counts below all.
[[nodiscard]] std::string diagnosisForPeople(const Diagnosis& diagnosis, bool colours);
[[nodiscard]] std::string summaryForPeople(const std::vector<Diagnosis>& diagnoses);

/// Formats all as one JSON object on one line.
[[nodiscard]] std::string diagnosesAsJson(const std::vector<Diagnosis>& diagnoses);

} // namespace issuer::commands
