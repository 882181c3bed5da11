#pragma once

#include "commands/manual.h"

namespace issuer::commands {

/// `issuer-host completion SHELL`: prints the shell's completion, made from the texts of --help. Names of issuers are
/// asked of the running host.
class Completion final : public Command
{
public:
	/// `all` is borrowed, and may be filled later.
	explicit Completion(const Commands& all) : _all(all) {}

	[[nodiscard]] std::string_view name() const override { return "completion"; }
	[[nodiscard]] std::string_view summary() const override { return "print the completion for bash, zsh or fish"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;

private:
	const Commands& _all;
};

} // namespace issuer::commands
