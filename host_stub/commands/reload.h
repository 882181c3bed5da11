#pragma once

#include "commands/command.h"
#include "commands/reloading.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host reload`: has a running host follow its configuration again.
class Reload final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "reload"; }
	[[nodiscard]] std::string_view summary() const override
	{
		return "have a running host read its configuration again";
	}
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
	bool _wait = false;
	bool _dryRun = false;
	bool _json = false;
};

} // namespace issuer::commands
