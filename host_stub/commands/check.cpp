#include "commands/commands.h"

#include "commands/canary.h"
#include "commands/exit_codes.h"
#include "commands/host_config.h"

#include <filesystem>
#include <iostream>
#include <optional>

namespace issuer::commands {

namespace {

/// `issuer-host check --config FILE`: whether a host would take a configuration.
class Check final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "check"; }
	[[nodiscard]] std::string_view summary() const override { return "say whether a configuration can be used"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _config;
	std::optional<std::filesystem::path> _plugins;
};

} // namespace

std::string_view Check::help() const
{
	return "Usage: issuer-host check --config FILE [--plugin-dir DIR]\n"
		   "\n"
		   "Says whether `run` or a reload would take FILE, and if not, everything that is wrong with it: reads it, "
		   "and\n"
		   "all that it includes; finds and loads each plugin with all checks; has it create each issuer, which opens "
		   "no\n"
		   "connection. Plugins do that in a process of their own, so that one that crashes or hangs is named.\n"
		   "Run it as the host's user, before a start or a reload. A running host is not asked: see "
		   "`issuer-host reload\n"
		   "--dry-run`.\n"
		   "\n"
		   "Example:\n"
		   "  issuer-host check --config /etc/issuer-host/host.json && issuer-host reload --wait\n"
		   "\n"
		   "Exit codes: 0 it can be used; 64 wrong usage; 75 it could not be read now, try again; 78 it must be "
		   "mended.\n";
}

void Check::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("config", "c", "the configuration, a JSON file").argument("FILE"));
	options.addOption(Option("plugin-dir", "", "where plugins are, instead of this installation's").argument("DIR"));
}

bool Check::setOption(const std::string& name, std::string& value)
{
	(name == "config" ? _config : _plugins) = value;
	return true;
}

int Check::run(const std::vector<std::string>& arguments)
{
	if (!arguments.empty() || !_config) {
		return usageError("check takes --config FILE and no argument", name());
	}
	const Result<HostConfig> config = loadConfig(*_config);
	const Result<void> checked = config ? checkInChild(*_config, _plugins) : tl::unexpected(config.error());
	if (!checked) {
		complain(checked.error().text);
		return checked.error().passes ? exitTemporary : exitConfig;
	}
	std::cout << _config->string() << " can be used: " << config->issuers.size() << " issuer"
			  << (config->issuers.size() == 1 ? "" : "s") << '\n';
	return exitOk;
}

std::unique_ptr<Command> makeCheck()
{
	return std::make_unique<Check>();
}

} // namespace issuer::commands
