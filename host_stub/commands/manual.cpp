#include "commands/commands.h"

#include "commands/exit_codes.h"

#include <Poco/Util/Option.h>
#include <iostream>

namespace issuer::commands {

namespace {

/// `issuer-host man`: prints the manual page, made from the texts of --help.
class Manual final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "man"; }
	[[nodiscard]] std::string_view summary() const override { return "print the manual page, for man -l -"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

/// Escapes text for troff: no backslash, no leading dot or quote is a request, and no hyphen becomes a dash.
std::string troff(std::string_view text)
{
	std::string escaped;
	bool lineBegins = true;
	for (const char letter : text) {
		if (lineBegins && (letter == '.' || letter == '\'')) {
			escaped += "\\&";
		}
		escaped += letter == '\\' ? "\\e" : letter == '-' ? "\\-" : std::string(1, letter);
		lineBegins = letter == '\n';
	}
	return escaped;
}

void print(const Command& command)
{
	std::cout << ".SS " << troff(command.name()) << '\n'
			  << troff(command.summary()) << ".\n.PP\n.nf\n"
			  << troff(command.help()) << ".fi\n";
	Poco::Util::OptionSet options;
	command.defineOptions(options);
	for (const Poco::Util::Option& option : options) {
		std::cout << ".TP\n.B ";
		if (!option.shortName().empty()) {
			std::cout << troff('-' + option.shortName() + ", ");
		}
		std::cout << troff("--" + option.fullName() + (option.takesArgument() ? ' ' + option.argumentName() : ""))
				  << '\n'
				  << troff(option.description()) << '\n';
	}
}

} // namespace

std::string_view Manual::help() const
{
	return "Usage: issuer-host man\n"
		   "\n"
		   "Prints the manual page issuer-host(1), all commands with their options.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host man | man -l -\n";
}

int Manual::run(const std::vector<std::string>& arguments)
{
	if (!arguments.empty()) {
		return usageError("man takes no argument", name());
	}
	std::cout << ".TH ISSUER\\-HOST 1 \"\" \"issuer\\-host " << troff(ISSUER_VERSION) << "\"\n"
			  << ".SH NAME\nissuer\\-host \\- keeps the credentials of a certificate manager's issuers alive\n"
			  << ".SH SYNOPSIS\n.B issuer\\-host\n.I COMMAND\n[\\fIOPTION\\fR ...]\n"
			  << ".SH DESCRIPTION\nLoads issuer plugins, which can be swapped while it runs, and keeps the credentials "
				 "of the configured issuers alive.\n"
			  << ".SH COMMANDS\n";
	for (const auto& command : makeCommands()) {
		if (!command->summary().empty()) {
			print(*command);
		}
	}
	std::cout << ".SH SEE ALSO\n/usr/share/doc/issuer\\-host/HTTP\\-API.md\n";
	return exitOk;
}

std::unique_ptr<Command> makeManual()
{
	return std::make_unique<Manual>();
}

} // namespace issuer::commands
