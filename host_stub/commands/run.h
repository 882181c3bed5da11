#pragma once

#include "commands/command.h"
#include "commands/host_config.h"
#include "commands/observation.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host run`: keeps the configured issuers' credentials alive until it is told to stop.
class Run final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "run"; }
	[[nodiscard]] std::string_view summary() const override { return "keep credentials alive until told to stop"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _configFile;
	std::optional<std::filesystem::path> _plugin;
	std::optional<std::filesystem::path> _plugins;
	std::optional<std::string> _control;
	std::optional<std::string> _http;
	std::optional<LogFormat> _format;
	issuer_log_level _level = ISSUER_LOG_INFO;
};

} // namespace issuer::commands
