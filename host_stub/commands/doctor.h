#pragma once

#include "commands/command.h"
#include "commands/host_config.h"
#include "loader/plugins.h"
#include "registry/plugin_instance.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace issuer::commands {

/// The doctor's findings about one issuer.
struct Diagnosis
{
	std::string issuer;
	std::string plugin; ///< name and version; empty: it could not be loaded
	std::vector<registry::Finding> findings;
};

/// `issuer-host doctor`: finds out whether the configured credentials can be kept alive, and what to change if not,
/// without renewing them.
class Doctor final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "doctor"; }
	[[nodiscard]] std::string_view summary() const override
	{
		return "say what will become of the credentials and why";
	}
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _configFile;
	std::optional<std::filesystem::path> _plugin;
	std::chrono::milliseconds _timeout{30'000};
	bool _json = false;
};

/// Diagnoses one issuer: its plugin, its configuration, and everything that its plugin checks. Does not start it.
[[nodiscard]] Diagnosis diagnose(
	const registry::IssuerSpec& spec, loader::Plugins& plugins, std::chrono::milliseconds timeout);

/// Looks at all issuers, up to sixteen at a time. Calls `tell` with each diagnosis in the order of the issuers, as soon
/// as it and those before it are there; on a terminal shows meanwhile on stderr how many are done.
[[nodiscard]] std::vector<Diagnosis> diagnoseAll(const std::vector<registry::IssuerSpec>& issuers,
	std::chrono::milliseconds timeout, const std::function<void(const Diagnosis&)>& tell);

/// Formats for people one diagnosis, and the counts below all.
[[nodiscard]] std::string diagnosisForPeople(const Diagnosis& diagnosis, bool colours);
[[nodiscard]] std::string summaryForPeople(const std::vector<Diagnosis>& diagnoses);

/// Formats all as one JSON object on one line.
[[nodiscard]] std::string diagnosesAsJson(const std::vector<Diagnosis>& diagnoses);

} // namespace issuer::commands
