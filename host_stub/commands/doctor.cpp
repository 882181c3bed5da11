#include "commands/commands.h"

#include "commands/diagnosis.h"
#include "commands/exit_codes.h"
#include "commands/fleet_engine.h"
#include "commands/quick_config.h"
#include "common/duration.h"
#include "common/text.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <unistd.h>

namespace issuer::commands {

namespace {

constexpr std::chrono::milliseconds longestForEndpoint{10'000};

/// `issuer-host doctor`: finds out whether the configured credentials can be kept alive, and what to change if not,
/// without renewing them.
class Doctor final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "doctor"; }
	[[nodiscard]] std::string_view summary() const override
	{
		return "say what will become of the credentials and why";
	}
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _configFile;
	std::optional<std::filesystem::path> _plugin;
	std::chrono::milliseconds _timeout{30'000};
	bool _json = false;
	bool _login = false;
};

} // namespace

std::string_view Doctor::help() const
{
	return "Usage: issuer-host doctor [NAME] [--config FILE | --plugin PATH] [--login]\n"
		   "                          [--timeout DURATION] [--json]\n"
		   "\n"
		   "Looks at every configured issuer, or at NAME: its plugin, its configuration, and whatever its plugin looks "
		   "at\n"
		   "(address, TLS, credential, policy, lifetime). Says in plain words what will become of the credential, and\n"
		   "what to change; also which files with secrets every user of the machine may read. Renews nothing and\n"
		   "changes nothing; beside a running host it does no harm.\n"
		   "\n"
		   "Where the configuration has a fleet, it tries each endpoint of its etcd, too, for 10 s at most: "
		   "certificates,\n"
		   "version, leader, space, user, rights, a watch, and the members' clocks. It writes nothing there.\n"
		   "\n"
		   "With --login it also logs in once as configured, looks the new token up and revokes it. That may cost one "
		   "use\n"
		   "of a secret id.\n"
		   "\n"
		   "Without FILE it looks at the token that `issuer-host run` without FILE would keep alive.\n"
		   "\n"
		   "Example:\n"
		   "  VAULT_ADDR=https://vault.example:8200 VAULT_TOKEN=… issuer-host doctor\n"
		   "\n"
		   "Exit codes: 0 no problem, perhaps warnings; 1 there are problems; 64 wrong usage; 75 the configuration\n"
		   "cannot be read now, try again; 78 it cannot be used.\n";
}

void Doctor::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("config", "c", "the configuration, a JSON file").argument("FILE"));
	options.addOption(Option("plugin", "p", "without a configuration: the plugin to use").argument("PATH"));
	options.addOption(Option("timeout", "", "how long to look at one issuer, 30s unless given").argument("DURATION"));
	options.addOption(Option("login", "", "also log in once, prove the token and revoke it"));
	options.addOption(Option("json", "", "one line of JSON, for programs"));
}

bool Doctor::setOption(const std::string& name, std::string& value)
{
	if (name == "config") {
		_configFile = value;
	}
	if (name == "plugin") {
		_plugin = std::filesystem::absolute(value);
	}
	_json = _json || name == "json";
	_login = _login || name == "login";
	if (name == "timeout") {
		const auto timeout = parseDuration(value);
		_timeout = timeout.value_or(_timeout);
		return timeout || (value = "a duration such as 30s", false);
	}
	return true;
}

int Doctor::run(const std::vector<std::string>& arguments)
{
	if (arguments.size() > 1) {
		return usageError("doctor takes one issuer's name at most", name());
	}
	if (_configFile && _plugin) {
		return usageError("--plugin is for looking without --config", name());
	}
	Result<HostConfig> config = configurationOf(_configFile, _plugin);
	if (!config) {
		std::cerr << "issuer-host: " << config.error().text << '\n';
		return config.error().passes ? exitTemporary : exitConfig;
	}
	if (!arguments.empty()) {
		std::erase_if(config->issuers, [&](const auto& issuer) { return issuer.name != arguments.front(); });
		if (config->issuers.empty()) {
			std::cerr << "issuer-host: there is no issuer " << sanitize(arguments.front()) << '\n';
			return exitConfig;
		}
	}
	const bool colours = ::isatty(STDOUT_FILENO) == 1 && environmentVariable("NO_COLOR").value_or("").empty();
	const auto tell = [&](const Diagnosis& diagnosis) {
		std::cout << (_json ? "" : diagnosisForPeople(diagnosis, colours)) << std::flush;
	};
	Diagnoses diagnoses;
	if (config->fleet && arguments.empty()) {
		diagnoses.fleet = diagnoseFleet(*config->fleet, std::min(_timeout, longestForEndpoint));
		tell(*diagnoses.fleet);
	}
	diagnoses.issuers = diagnoseAll(*config, _timeout, _login, tell);
	std::cout << (_json ? diagnosesAsJson(diagnoses) + '\n' : summaryForPeople(diagnoses));
	return countOf(diagnoses, ISSUER_FINDING_PROBLEM) > 0 ? exitFindings : exitOk;
}

std::unique_ptr<Command> makeDoctor()
{
	return std::make_unique<Doctor>();
}

} // namespace issuer::commands
