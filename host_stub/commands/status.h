#pragma once

#include "commands/command.h"

#include "common/result.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host status`: prints the state of the running host's issuers.
class Status final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "status"; }
	[[nodiscard]] std::string_view summary() const override { return "show how the running host's issuers are"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	[[nodiscard]] Result<std::string> ask(std::optional<std::size_t> limit) const;
	int show(bool again) const;
	int watch() const;

	std::optional<std::string> _control;
	std::optional<std::string> _issuer;
	bool _json = false;
	bool _names = false;
	bool _watch = false;
};

} // namespace issuer::commands
