#pragma once

#include "commands/command.h"
#include "commands/host_config.h"
#include "loader/plugins.h"
#include "registry/instance.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// What the doctor found about one issuer.
struct Diagnosis
{
	std::string issuer;
	std::string plugin; ///< its name and version; empty: it could not be loaded
	std::vector<registry::Finding> findings;
};

/// `issuer-host doctor`: what will become of the configured credentials, and what to change, without touching them.
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

/// Looks at one issuer: its plugin, its configuration, and whatever its plugin looks at. Does not start it.
[[nodiscard]] Diagnosis diagnose(
	const registry::IssuerSpec& spec, loader::Plugins& plugins, std::chrono::milliseconds timeout);

/// For people, and as one JSON object on one line.
[[nodiscard]] std::string diagnosesForPeople(const std::vector<Diagnosis>& diagnoses, bool colours);
[[nodiscard]] std::string diagnosesAsJson(const std::vector<Diagnosis>& diagnoses);

} // namespace issuer::commands
