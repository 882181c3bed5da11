#pragma once

#include "commands/command.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host swap NAME PLUGIN`: has a running host swap the plugin of one of its issuers.
class Swap final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "swap"; }
	[[nodiscard]] std::string_view summary() const override { return "have a running host change an issuer's plugin"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
	std::optional<std::string> _sha256;
	bool _json = false;
	bool _canary = false;
	std::optional<std::filesystem::path> _save; ///< configuration file into which the choice is written
};

} // namespace issuer::commands
