#include "commands/commands.h"

#include "commands/exit_codes.h"
#include "commands/quick_config.h"
#include "loader/staging.h"

#include <filesystem>
#include <iostream>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host stage FILE`: copies a plugin to the path of its version.
class Stage final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "stage"; }
	[[nodiscard]] std::string_view summary() const override
	{
		return "install a plugin at a path of its version's own";
	}
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _plugins;
};

} // namespace

std::string_view Stage::help() const
{
	return "Usage: issuer-host stage FILE [--plugin-dir DIR]\n"
		   "\n"
		   "Checks a plugin and its path as `run` would, before any of its code runs, copies it to a path of its\n"
		   "version's own and prints that path:\n"
		   "  DIR/vault/1.0.0-0123456789ab/vault_plugin.so     version and the first digits of the file's SHA-256\n"
		   "The code is tried in a process of its own that can do no harm. Folders are made with mode 0755.\n"
		   "It is there whole or not at all. What is there already stays as it is, so it can be repeated.\n"
		   "A version in use is never overwritten: that would kill its host, and reusing its path would silently\n"
		   "give the old code. `issuer-host gc` removes what no host runs any more.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host swap team-a \"$(issuer-host stage ./vault_plugin.so)\"\n"
		   "\n"
		   "Exit codes: 0 it is there; 64 wrong usage; 65 the file was refused, and stderr says why.\n";
}

void Stage::defineOptions(Poco::Util::OptionSet& options) const
{
	options.addOption(
		Poco::Util::Option("plugin-dir", "", "where plugins are, instead of this installation's").argument("DIR"));
}

bool Stage::setOption(const std::string& name, std::string& value)
{
	if (name == "plugin-dir") {
		_plugins = value;
	}
	return true;
}

int Stage::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() != 1) {
		return usageError("stage takes one plugin", name());
	}
	const auto staged = loader::stage(arguments.front(), _plugins.value_or(installedPlugins()));
	if (!staged) {
		complain(staged.error().text);
		return exitData;
	}
	std::cout << staged->string() << '\n';
	return exitOk;
}

std::unique_ptr<Command> makeStage()
{
	return std::make_unique<Stage>();
}

} // namespace issuer::commands
