#include "commands/commands.h"

#include "commands/exit_codes.h"

#include <Poco/Util/Option.h>
#include <iostream>

namespace issuer::commands {

namespace {

/// `issuer-host completion SHELL`: prints the shell's completion, made from the texts of --help. Names of issuers are
/// asked of the running host.
class Completion final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "completion"; }
	[[nodiscard]] std::string_view summary() const override { return "print the completion for bash, zsh or fish"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

using Poco::Util::Option;
using Poco::Util::OptionSet;

using Commands = std::vector<std::unique_ptr<Command>>;

/// Returns the commands that help lists.
Commands listedCommands()
{
	Commands commands = makeCommands();
	std::erase_if(commands, [](const auto& command) { return command->summary().empty(); });
	return commands;
}

OptionSet optionsOf(const Command& command)
{
	OptionSet options;
	command.defineOptions(options);
	options.addOption(Option("help", "h", "this text"));
	return options;
}

/// Returns whether an argument of the command is an issuer's name, as its usage says.
bool takesName(const Command& command)
{
	const std::string usage = "Usage: issuer-host " + std::string(command.name());
	return command.help().starts_with(usage + " NAME") || command.help().starts_with(usage + " [NAME]");
}

/// Quotes text as one word of a shell.
std::string shellQuoted(std::string_view text)
{
	std::string word = "'";
	for (const char letter : text) {
		word += letter == '\'' ? "'\\''" : std::string(1, letter);
	}
	return word + '\'';
}

/// Completes words with bash's own means: options and names, and files everywhere else.
void printBash(const Commands& commands)
{
	std::cout << "# bash completion for issuer-host, printed by `issuer-host completion bash`\n"
				 "_issuer_host() {\n"
				 "\tlocal word=${COMP_WORDS[COMP_CWORD]} options='' names=''\n"
				 "\tif ((COMP_CWORD == 1)); then\n"
				 "\t\tmapfile -t COMPREPLY < <(compgen -W '";
	for (const auto& command : commands) {
		std::cout << command->name() << ' ';
	}
	std::cout << "--help --version' -- \"$word\")\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n";
	for (const auto& command : commands) {
		std::cout << '\t' << command->name() << ") options='";
		for (const Option& option : optionsOf(*command)) {
			std::cout << "--" << option.fullName() << ' ';
		}
		std::cout << '\'' << (takesName(*command) ? " names=1" : "") << " ;;\n";
	}
	std::cout << "\tesac\n"
				 "\tif [[ $word == -* ]]; then\n"
				 "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
				 "\telif [[ $names && ${COMP_WORDS[COMP_CWORD-1]} != --* ]]; then\n"
				 "\t\tlocal IFS=$'\\n' name\n"
				 "\t\tCOMPREPLY=()\n"
				 "\t\twhile read -r name; do\n"
				 "\t\t\t[[ $name != \"$word\"* ]] || COMPREPLY+=(\"$(printf %q \"$name\")\")\n"
				 "\t\tdone < <(issuer-host status --names 2>/dev/null)\n"
				 "\telse\n"
				 "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
				 "\tfi\n"
				 "}\n"
				 "complete -o filenames -F _issuer_host issuer-host\n";
}

/// The argument of an option for _arguments: a colon begins a part of its own there.
std::string zshOption(const Option& option)
{
	std::string text;
	for (const char letter : option.description()) {
		text += letter == '[' || letter == ']' || letter == ':' ? std::string("\\") + letter : std::string(1, letter);
	}
	return shellQuoted("--" + option.fullName() + '[' + text + ']' +
					   (option.takesArgument() ? ':' + option.argumentName() + ":_files" : ""));
}

void printZsh(const Commands& commands)
{
	std::cout << "#compdef issuer-host\n"
				 "# zsh completion for issuer-host, printed by `issuer-host completion zsh`\n"
				 "_issuer_host_names() {\n"
				 "\tlocal -a names=(${(f)\"$(issuer-host status --names 2>/dev/null)\"})\n"
				 "\tcompadd -a names\n"
				 "}\n"
				 "if ((CURRENT == 2)); then\n"
				 "\tlocal -a commands=(\n";
	for (const auto& command : commands) {
		std::cout << "\t\t" << shellQuoted(std::string(command->name()) + ':' + std::string(command->summary()))
				  << '\n';
	}
	std::cout << "\t)\n\t_describe command commands\n\treturn\nfi\nshift words\n((CURRENT--))\ncase $words[1] in\n";
	for (const auto& command : commands) {
		std::cout << command->name() << ") _arguments";
		for (const Option& option : optionsOf(*command)) {
			std::cout << " \\\n\t" << zshOption(option);
		}
		std::cout << " \\\n\t'*:argument:" << (takesName(*command) ? "_issuer_host_names" : "_files") << "' ;;\n";
	}
	std::cout << "esac\n";
}

void printFish(const Commands& commands)
{
	std::cout << "# fish completion for issuer-host, printed by `issuer-host completion fish`\n";
	for (const auto& command : commands) {
		std::cout << "complete -c issuer-host -f -n __fish_use_subcommand -a " << command->name() << " -d "
				  << shellQuoted(command->summary()) << '\n';
		const std::string seen = " -n " + shellQuoted("__fish_seen_subcommand_from " + std::string(command->name()));
		for (const Option& option : optionsOf(*command)) {
			std::cout << "complete -c issuer-host" << seen << " -l " << option.fullName()
					  << (option.takesArgument() ? " -r" : "") << " -d " << shellQuoted(option.description()) << '\n';
		}
		if (takesName(*command)) {
			std::cout << "complete -c issuer-host" << seen << " -f -a '(issuer-host status --names 2>/dev/null)'\n";
		}
	}
}

} // namespace

std::string_view Completion::help() const
{
	return "Usage: issuer-host completion bash|zsh|fish\n"
		   "\n"
		   "Prints the completion of commands, options and, asked of the running host, issuers' names. The package\n"
		   "installs all three.\n"
		   "\n"
		   "Example:\n"
		   "  source <(issuer-host completion bash)\n";
}

int Completion::run(const std::vector<std::string>& arguments)
{
	const std::string shell = arguments.size() == 1 ? arguments.front() : "";
	const Commands commands = listedCommands();
	if (shell == "bash") {
		printBash(commands);
	}
	else if (shell == "zsh") {
		printZsh(commands);
	}
	else if (shell == "fish") {
		printFish(commands);
	}
	else {
		return usageError("completion takes bash, zsh or fish", name());
	}
	return exitOk;
}

std::unique_ptr<Command> makeCompletion()
{
	return std::make_unique<Completion>();
}

} // namespace issuer::commands
