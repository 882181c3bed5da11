#pragma once

#include "commands/command.h"

#include <filesystem>
#include <optional>

namespace issuer::commands {

/// `issuer-host validate PLUGIN`: checks a plugin against the promises of the contract, one by one.
class Validate final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "validate"; }
	[[nodiscard]] std::string_view summary() const override { return "check that a plugin keeps the contract"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	int list() const;

	std::optional<std::filesystem::path> _config;
	std::string _only;
	bool _json = false;
	bool _list = false;
};

/// One check in a process of its own, for Validate alone: `issuer-host validate-check NAME PLUGIN [configured]`, with
/// the configuration on its standard input.
class ValidateCheck final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "validate-check"; }
	[[nodiscard]] std::string_view summary() const override { return {}; } // internal
	[[nodiscard]] std::string_view help() const override { return "For `issuer-host validate`.\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

} // namespace issuer::commands
