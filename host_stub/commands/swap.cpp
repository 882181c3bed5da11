#include "commands/commands.h"

#include "commands/ask_host.h"
#include "commands/control_requests.h"
#include "commands/exit_codes.h"
#include "commands/saved_choice.h"
#include "loader/installed.h"

#include <filesystem>
#include <iostream>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host swap NAME PLUGIN`: has a running host swap the plugin of one of its issuers.
class Swap final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "swap"; }
	[[nodiscard]] std::string_view summary() const override { return "have a running host change an issuer's plugin"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _control;
	std::optional<std::string> _sha256;
	bool _json = false;
	bool _canary = false;
	std::optional<std::filesystem::path> _save; ///< configuration file into which the choice is written
};

} // namespace

std::string_view Swap::help() const
{
	return "Usage: issuer-host swap NAME PLUGIN [--canary] [--save FILE] [--sha256 SUM] [--control PATH] [--json]\n"
		   "\n"
		   "Has the running host put PLUGIN under its issuer NAME, which keeps its configuration, its lease and its\n"
		   "counts, and says what came of it. If anything fails the issuer goes on as before.\n"
		   "\n"
		   "PLUGIN is a path, or a name of what is installed: vault is the newest version, vault@0.1 the newest of "
		   "those\n"
		   "that begin with 0.1.\n"
		   "\n"
		   "--canary has the host first try it in a process of its own, with the issuer's configuration and "
		   "credential:\n"
		   "create, start, stop, destroy. A plugin that fails, hangs or crashes there is refused before anything is\n"
		   "stopped; without --canary one that crashes takes the host with it.\n"
		   "\n"
		   "The host follows its configuration again at the next SIGHUP and after a restart: --save writes the choice\n"
		   "into it, and leaves the rest of the file as it is.\n"
		   "PLUGIN must lie at a path of its own for each version; `issuer-host stage` makes one.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host swap team-a \"$(issuer-host stage ./vault_plugin.so)\"\n"
		   "\n"
		   "Exit codes: 0 swapped; 64 wrong usage; 65 refused, the issuer has noticed nothing; 69 no host answers;\n"
		   "75 not swapped, the issuer goes on as before; 78 swapped, but not saved.\n";
}

void Swap::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("control", "", "where the host listens").argument("PATH"));
	options.addOption(Option("sha256", "", "refuse a plugin with another sum").argument("SUM"));
	options.addOption(Option("save", "", "write the choice into this configuration, once swapped").argument("FILE"));
	options.addOption(Option("canary", "", "try it in a process of its own first"));
	options.addOption(Option("json", "", "the host's answer as it came, for programs"));
}

bool Swap::setOption(const std::string& name, std::string& value)
{
	if (name == "control") {
		_control = value;
	}
	else if (name == "sha256") {
		_sha256 = value;
	}
	else if (name == "save") {
		_save = value;
	}
	_json = _json || name == "json";
	_canary = _canary || name == "canary";
	return true;
}

int Swap::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() != 2) {
		return usageError("swap takes an issuer's name and a plugin", name());
	}
	loader::PluginFile plugin = loader::pluginNamed(arguments[1], std::filesystem::current_path());
	plugin.sha256 = _sha256;
	const int swapped = askHost(_control, swapRequest(arguments[0], plugin, _canary), _json);
	if (swapped != exitOk || !_save) {
		return swapped;
	}
	if (const Result<void> saved = savePlugin(*_save, arguments[0], plugin.wanted()); !saved) {
		complain(saved.error().text);
		return exitConfig;
	}
	return exitOk;
}

std::unique_ptr<Command> makeSwap()
{
	return std::make_unique<Swap>();
}

} // namespace issuer::commands
