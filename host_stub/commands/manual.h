#pragma once

#include "commands/command.h"

namespace issuer::commands {

/// All commands of the program, in the order in which help lists them.
using Commands = std::vector<Command*>;

/// `issuer-host man`: prints the manual page, made from the texts of --help.
class Manual final : public Command
{
public:
	/// `all` is borrowed, and may be filled later.
	explicit Manual(const Commands& all) : _all(all) {}

	[[nodiscard]] std::string_view name() const override { return "man"; }
	[[nodiscard]] std::string_view summary() const override { return "print the manual page, for man -l -"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;

private:
	const Commands& _all;
};

} // namespace issuer::commands
