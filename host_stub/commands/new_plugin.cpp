#include "commands/commands.h"

#include "commands/exit_codes.h"
#include "new_plugin/project.h"

#include <filesystem>
#include <iostream>

namespace issuer::commands {

namespace {

/// `issuer-host new-plugin NAME [FOLDER]`: writes the project of a plugin to begin with.
class NewPlugin final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "new-plugin"; }
	[[nodiscard]] std::string_view summary() const override { return "write a plugin's project, to begin with"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& /*options*/) const override {}
	bool setOption(const std::string& /*name*/, std::string& /*value*/) override { return false; }
	int run(const std::vector<std::string>& arguments) override;
};

} // namespace

std::string_view NewPlugin::help() const
{
	return "Usage: issuer-host new-plugin NAME [FOLDER]\n"
		   "\n"
		   "Writes a plugin's project in C++ into FOLDER, ./NAME if none is given: a class that renews a pretended\n"
		   "credential, its GMock test and a README. It builds with the package issuer-plugin-api-dev and keeps every\n"
		   "promise of the contract. NAME is lower-case words joined by -. A folder that is not empty is refused.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host new-plugin my-token\n"
		   "  cd my-token && cmake -S . -B build && cmake --build build && ctest --test-dir build\n"
		   "  issuer-host validate build/my_token.so --config config.json\n"
		   "\n"
		   "Exit codes: 0 written; 64 wrong usage, a NAME of another form included; 74 it could not be written.\n";
}

int NewPlugin::run(const std::vector<std::string>& arguments)
{
	if (arguments.empty() || arguments.size() > 2) {
		return usageError("new-plugin takes a name, and a folder if you like", name());
	}
	const auto names = new_plugin::namesOf(arguments.front());
	if (!names) {
		return usageError(names.error().text, name());
	}
	const std::filesystem::path folder = arguments.back(); // the name, if there is no other
	if (const auto written = new_plugin::writeProject(*names, folder); !written) {
		std::cerr << "issuer-host: " << written.error().text << '\n';
		return exitOutput;
	}
	std::cout << "wrote " << folder.string() << "; to build, test and validate it:\n"
			  << "  cd " << folder.string() << '\n'
			  << "  cmake -S . -B build && cmake --build build && ctest --test-dir build --output-on-failure\n"
			  << "  issuer-host validate build/" << names->snake << ".so --config config.json\n";
	return exitOk;
}

std::unique_ptr<Command> makeNewPlugin()
{
	return std::make_unique<NewPlugin>();
}

} // namespace issuer::commands
