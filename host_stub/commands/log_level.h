#pragma once

#include "commands/command.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host log-level LEVEL`: changes which lines a running host's log has.
class LogLevel final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "log-level"; }
	[[nodiscard]] std::string_view summary() const override { return "change which lines a running host's log has"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
};

} // namespace issuer::commands
