#pragma once

#include "commands/command.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host stage FILE`: copies a plugin to the path of its version.
class Stage final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "stage"; }
	[[nodiscard]] std::string_view summary() const override
	{
		return "install a plugin at a path of its version's own";
	}
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _plugins;
};

} // namespace issuer::commands
