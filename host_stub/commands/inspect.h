#pragma once

#include "commands/command.h"
#include "loader/inspection.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host inspect PLUGIN`: prints a plugin's description of itself.
class Inspect final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "inspect"; }
	[[nodiscard]] std::string_view summary() const override { return "show what a plugin says about itself"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _plugins;
	bool _json = false;
};

/// Format the description in words, or as one JSON object.
[[nodiscard]] std::string describeForPeople(const loader::Inspection& plugin);
[[nodiscard]] std::string describeAsJson(const loader::Inspection& plugin);

} // namespace issuer::commands
