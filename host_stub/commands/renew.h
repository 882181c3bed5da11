#pragma once

#include "commands/command.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host renew NAME`: has a running host renew one of its issuers now.
class Renew final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "renew"; }
	[[nodiscard]] std::string_view summary() const override { return "have a running host renew an issuer now"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
	bool _reread = false;
};

} // namespace issuer::commands
