#pragma once

#include "commands/command.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host check --config FILE`: whether a host would take a configuration.
class Check final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "check"; }
	[[nodiscard]] std::string_view summary() const override { return "say whether a configuration can be used"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _config;
	std::optional<std::filesystem::path> _plugins;
};

} // namespace issuer::commands
