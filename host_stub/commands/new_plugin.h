#pragma once

#include "commands/command.h"

namespace issuer::commands {

/// `issuer-host new-plugin NAME [FOLDER]`: writes the project of a plugin to begin with.
class NewPlugin final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "new-plugin"; }
	[[nodiscard]] std::string_view summary() const override { return "write a plugin's project, to begin with"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& /*options*/) const override {}
	bool setOption(const std::string& /*name*/, std::string& /*value*/) override { return false; }
	int run(const std::vector<std::string>& arguments) override;
};

} // namespace issuer::commands
