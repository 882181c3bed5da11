#include "commands/commands.h"
#include "commands/exit_codes.h"

#include <Poco/Util/Application.h>
#include <Poco/Util/OptionException.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <span>
#include <unistd.h>

namespace issuer {

namespace {

using commands::Command;

/// Reads the command line: the command, its options, and help for both.
class HostApplication : public Poco::Util::Application
{
public:
	/// `command` is null when none was named.
	HostApplication(std::span<const std::unique_ptr<Command>> all, Command* command) : _all(all), _command(command) {}

protected:
	void defineOptions(Poco::Util::OptionSet& options) override
	{
		Application::defineOptions(options);
		options.addOption(Poco::Util::Option("help", "h", "this text"));
		if (_command != nullptr) {
			_command->defineOptions(options);
		}
		else {
			options.addOption(Poco::Util::Option("version", "V", "which version this is"));
		}
	}

	void handleOption(const std::string& name, const std::string& value) override
	{
		if (name == "help" || name == "version") {
			(name == "help" ? _help : _version) = true;
			stopOptionsProcessing();
			return;
		}
		std::string wanted = value;
		if (!_command->setOption(name, wanted)) {
			throw Poco::Util::InvalidArgumentException("--" + name + " is " + wanted + ", not \"" + value + "\"");
		}
	}

	int main(const ArgVec& arguments) override
	{
		if (_version) {
			std::cout << "issuer-host " ISSUER_VERSION "\n";
			return commands::exitOk;
		}
		if (_help) {
			printHelp();
			return commands::exitOk;
		}
		if (_command == nullptr) {
			return commands::usageError(
				arguments.empty() ? "a command is wanted" : "there is no command \"" + arguments.front() + "\"");
		}
		return _command->run({arguments.begin() + 1, arguments.end()});
	}

private:
	void printHelp() const
	{
		if (_command != nullptr) {
			std::cout << _command->help() << "\nOptions:\n";
		}
		else {
			std::cout << "Keeps the credentials of a certificate manager's issuers alive, through plugins that can be\n"
						 "swapped while it runs.\n"
						 "\n"
						 "Usage: issuer-host COMMAND [OPTION…]\n"
						 "\n"
						 "Commands:\n";
			for (const auto& command : _all) {
				if (!command->summary().empty()) {
					std::cout << "  " << command->name() << std::string(12 - command->name().size(), ' ')
							  << command->summary() << '\n';
				}
			}
			std::cout << "\n"
						 "To begin, keep the token of your shell alive: VAULT_ADDR=… VAULT_TOKEN=… issuer-host run\n"
						 "\n"
						 "Options (`issuer-host COMMAND --help` shows a command's own):\n";
		}
		for (const Poco::Util::Option& option : options()) {
			const std::string shortName = option.shortName().empty() ? "    " : '-' + option.shortName() + ", ";
			const std::string argument = option.takesArgument() ? ' ' + option.argumentName() : "";
			std::string line = "  " + shortName + "--" + option.fullName() + argument;
			line.resize(std::max<std::size_t>(line.size() + 2, 28), ' ');
			std::cout << line << option.description() << '\n';
		}
	}

	std::span<const std::unique_ptr<Command>> _all;
	Command* _command;
	bool _help = false;
	bool _version = false;
};

/// Opens /dev/null for each of the descriptors 0 to 2 that is closed. Otherwise the next file or socket would get its
/// number, and output meant for stdout would be written into it.
void fillStandardDescriptors()
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
		if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
			::open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd) {
			std::_Exit(commands::exitSoftware); // without /dev/null there is no safe way to go on
		}
	}
}

} // namespace

} // namespace issuer

int main(int argc, char** argv)
{
	issuer::fillStandardDescriptors();
	const auto all = issuer::commands::makeCommands();
	issuer::commands::Command* chosen = nullptr;
	for (const auto& command : all) {
		chosen = argc > 1 && command->name() == argv[1] ? command.get() : chosen;
	}
	try {
		Poco::AutoPtr<issuer::HostApplication> application(new issuer::HostApplication(all, chosen));
		application->init(argc, argv);
		const int code = application->run();
		if (!std::cout.flush() && code == issuer::commands::exitOk) {
			std::cerr << "issuer-host: stdout cannot be written\n";
			return issuer::commands::exitOutput;
		}
		return code;
	}
	catch (const Poco::Util::OptionException& error) {
		const bool ours = dynamic_cast<const Poco::Util::InvalidArgumentException*>(&error) != nullptr;
		return issuer::commands::usageError(
			ours ? error.message() : error.displayText(), chosen == nullptr ? std::string_view() : chosen->name());
	}
	catch (const std::exception& error) {
		std::cerr << "issuer-host: " << error.what() << '\n';
		return issuer::commands::exitSoftware;
	}
}
