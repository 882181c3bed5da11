#include "commands/commands.h"

#include "commands/attempts.h"
#include "commands/canary.h"
#include "commands/control_requests.h"
#include "commands/exit_codes.h"
#include "commands/fleet_part.h"
#include "commands/host_config.h"
#include "commands/observation.h"
#include "commands/quick_config.h"
#include "commands/signal_queue.h"
#include "control/paths.h"
#include "control/server.h"
#include "loader/installed.h"
#include "observe/events/names.h"
#include "observe/systemd/journald.h"
#include "registry/backoff.h"
#include "registry/registry.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <malloc.h>
#include <optional>
#include <random>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace issuer::commands {

using observe::Action;
using namespace std::chrono_literals;

namespace {

/// `issuer-host run`: keeps the configured issuers' credentials alive until it is told to stop.
class Run final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "run"; }
	[[nodiscard]] std::string_view summary() const override { return "keep credentials alive until told to stop"; }
	[[nodiscard]] std::string_view help() const override;
	void defineOptions(Poco::Util::OptionSet& options) const override;
	bool setOption(const std::string& name, std::string& value) override;
	int run(const std::vector<std::string>& arguments) override;

private:
	std::optional<std::filesystem::path> _configFile;
	std::optional<std::filesystem::path> _plugin;
	std::optional<std::filesystem::path> _plugins;
	std::optional<std::string> _control;
	std::optional<std::string> _http;
	std::optional<LogFormat> _format;
	issuer_log_level _level = ISSUER_LOG_INFO;
};

/// Time that an orderly end may take beyond stop_timeout before it is cut short.
constexpr std::chrono::milliseconds aMoment{900};

/// Interval at which a host checks whether the plugin files that it uses still exist.
constexpr std::chrono::seconds filesPause{30};

bool isColourful(int fd)
{
	const auto term = environmentVariable("TERM");
	return ::isatty(fd) == 1 && environmentVariable("NO_COLOR").value_or("").empty() && term && *term != "dumb";
}

std::size_t longestName(const std::vector<registry::IssuerSpec>& issuers)
{
	std::size_t longest = std::string_view("host").size();
	for (const registry::IssuerSpec& issuer : issuers) {
		longest = std::max(longest, issuer.name.size());
	}
	return longest;
}

std::string counted(std::size_t count, const std::string& what)
{
	return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::chrono::milliseconds pauseAfter(unsigned failures, bool needsPerson)
{
	thread_local std::minstd_rand random{std::random_device{}()};
	const double dice = std::uniform_real_distribution<double>(0, 1)(random);
	return needsPerson ? registry::deadCredentialBackoff(failures, dice) : registry::startBackoff(failures, dice);
}

/// Has the fleet record `issuers`.
void admit(observe::Fleet& fleet, const std::vector<registry::IssuerSpec>& issuers)
{
	std::vector<std::string> names;
	for (const registry::IssuerSpec& issuer : issuers) {
		names.push_back(issuer.name);
	}
	fleet.admit(names);
}

/// Returns the settings of the web server: the command line's, or else the configuration's.
Result<std::optional<observe::web::Settings>> httpSettings(
	const std::optional<std::string>& option, const HostConfig& config)
{
	if (!option) {
		return config.http;
	}
	if (option == "none") {
		return std::nullopt;
	}
	return observe::web::parseListenAddress(*option).map([&](const observe::web::ListenAddress& address) {
		observe::web::Settings settings = config.http.value_or(observe::web::Settings());
		settings.listen = address;
		return std::optional(settings);
	});
}

/// Returns the path of the control socket: the command line's, or else the configuration's, or else the default. None:
/// it has none.
std::optional<std::filesystem::path> controlPath(const std::optional<std::string>& option, const HostConfig& config)
{
	const auto wanted = option ? std::optional<std::filesystem::path>(*option) : config.control;
	const auto path = wanted ? wanted : control::defaultSocket(environmentVariable);
	return path == "none" ? std::nullopt : path;
}

/// Reports the faults of a configuration that is used all the same.
void tellFaults(observe::EventSink& sink, const HostConfig& config)
{
	for (const std::string& fault : config.faults) {
		sink.notice({Action::faulty, ISSUER_LOG_ERROR, {}, fault + "; left out, mend it and reload"});
	}
}

/// Makes all threads allocate from one heap, in which memory that reading the configuration has freed is used again.
/// With a heap for each thread, a host of 10,000 issuers takes half as much memory again.
void useOneHeap()
{
#ifdef M_ARENA_MAX
	::mallopt(M_ARENA_MAX, 1);
#endif
}

} // namespace

std::string_view Run::help() const
{
	return R"(Usage: issuer-host run [--config FILE | --plugin PATH] [OPTION…]

Loads the plugins, keeps every issuer's credential alive and tells on stdout what happens,
one line an event. A server that is away at start is tried again.

  SIGINT, SIGTERM   stop everything and exit
  SIGHUP            read FILE again: an issuer that has not changed runs on undisturbed, one with another
                    plugin or configuration is swapped, and a configuration with an error changes nothing

FILE is JSON; `issuer-host inspect PLUGIN` shows what a plugin wants in "config":
  {"issuers": [{"name": "team-a", "plugin": "vault",
                "config": {"address": "https://vault.example:8200",
                           "token": {"file": "/etc/issuer-host/vault-token"}}}],
   "stop_timeout": "10s", "swap_timeout": "1m", "control": "/run/issuer-host/control.sock",
   "http": {"listen": "127.0.0.1:9464"}, "journal": {"file": "/var/lib/issuer-host/journal.jsonl"}}
It may have comments, // and /* */. "include": "conf.d" names a folder in which each file NAME.json is one
issuer, {"plugin": …, "config": {…}}; a reload finds what was added, changed and removed there. ${VAR} in
the strings of a "config" is replaced where "environment": ["VAR"] names it, and stays as it is everywhere
else. "plugin" is a name, vault for the newest installed version, vault@0.1 for the newest that begins so,
looked up at each start and reload; or a path, which starts at FILE's folder. "sha256" pins it. Install
each version of a plugin at a path of its own and never overwrite one in use.

While it runs, `issuer-host status` and `issuer-host swap` reach it through its control socket, which is
for its own user and root alone: at --control or "control", or else in $RUNTIME_DIRECTORY or
$XDG_RUNTIME_DIR. Members of the group of "control_group" may ask for status there, and change nothing.

"fleet": {"name": "prod", "etcd": {"endpoints": ["https://etcd-1.example:2379"]}} shares the issuers with
other hosts of that name, which keep them alive when this one dies; an issuer with "fleet": false is this
host's own.

"exec" runs a command, or posts to a URL, when a credential is "recovered" (renewed after a failure),
"capped", "dead" or "replaced", and when an issuer has "logged_in", a login has failed ("login_failed") or
the next one will fail ("login_ends"). One runs after the other, each for "timeout" at most, 10 s unless
given. They get a line of JSON on stdin or as body, a command also ISSUER_EVENT, ISSUER_NAME, ISSUER_STATE,
ISSUER_REASON, ISSUER_TEXT and ISSUER_EXPIRES_UNIX_MS, and no other environment:
  "exec": [{"on": ["dead", "capped"], "command": ["/usr/local/bin/page-us"], "timeout": "10s"},
           {"on": ["recovered", "replaced"], "url": "https://hooks.example/issuers"}]

With "http" or --http a status page is at /, metrics for Prometheus are at /metrics, and probes at /healthz
and /readyz. It listens beyond this machine only with "tls": {"certificate": …, "key": …}, or with
"plain_public": true. "journal" keeps everything that happens as JSON lines, 5 files of 16 MiB at most.

"http", "journal", "control", "control_group", "exec", "fleet" and the timeouts are read at the start only:
a reload that finds them changed says so and goes on without. `issuer-host check` tries a configuration
beforehand, `issuer-host reload` tells all that a reload has changed.

Without FILE it keeps one token alive, found as the vault and bao tools find theirs: BAO_… or VAULT_… of
AGENT_ADDR or ADDR, TOKEN (or the file of TOKEN_PATH, or ~/.vault-token), NAMESPACE, CACERT, CAPATH,
CLIENT_CERT, CLIENT_KEY, TLS_SERVER_NAME, SKIP_VERIFY, DISABLE_REDIRECTS and PROXY_ADDR, or HTTP(S)_PROXY
and NO_PROXY; with the newest installed Vault plugin, or the one of --plugin.

Examples:
  VAULT_ADDR=https://vault.example:8200 VAULT_TOKEN=… issuer-host run
  issuer-host run --config /etc/issuer-host/host.json --log-format json

A port or a socket that is taken, a journal that cannot be written, a plugin or a token that is missing do
not end the host: it says so, goes on with everything else, and tries again.

Exit codes: 0 stopped as told; 64 wrong usage; 70 something did not stop within stop_timeout, or a second
SIGTERM or SIGINT came; 75 the configuration could not be read now, try again; 78 the configuration must
be mended.
)";
}

void Run::defineOptions(Poco::Util::OptionSet& options) const
{
	using Poco::Util::Option;
	options.addOption(Option("config", "c", "the configuration, a JSON file").argument("FILE"));
	options.addOption(Option("plugin", "p", "without a configuration: the plugin to use").argument("PATH"));
	options.addOption(Option("plugin-dir", "", "where plugins are, instead of this installation's").argument("DIR"));
	options.addOption(
		Option("control", "", "where `status` and `swap` reach this host; none: nowhere").argument("PATH"));
	options.addOption(
		Option("http", "", "serve the status page and metrics there; none: nowhere").argument("ADDRESS:PORT"));
	options.addOption(
		Option("log-format", "", "human (default), json (one object a line) or journald (default under systemd)")
			.argument("FORMAT"));
	options.addOption(
		Option("log-level", "", "debug, info (default), warn or error: the lowest that is told").argument("LEVEL"));
}

bool Run::setOption(const std::string& name, std::string& value)
{
	if (name == "config") {
		_configFile = value;
		return true;
	}
	if (name == "plugin") {
		_plugin = std::filesystem::absolute(value);
		return true;
	}
	if (name == "plugin-dir") {
		_plugins = value;
		return true;
	}
	if (name == "control") {
		_control = value;
		return true;
	}
	if (name == "http") {
		_http = value;
		return true;
	}
	if (name == "log-format") {
		_format = value == "json" ? LogFormat::json : value == "journald" ? LogFormat::journald : LogFormat::human;
		return value == "json" || value == "human" || value == "journald" || (value = "human, json or journald", false);
	}
	const std::optional<issuer_log_level> level = observe::levelNamed(value);
	_level = level.value_or(_level);
	return level || (value = "debug, info, warn or error", false);
}

int Run::run(const std::vector<std::string>& arguments)
{
	useOneHeap();                // before the first thread
	::prctl(PR_SET_DUMPABLE, 0); // a configuration may hold a token, and copies of it are kept for as long as it runs
	if (!arguments.empty()) {
		return usageError("run takes no argument such as \"" + arguments.front() + "\"", name());
	}
	if (_configFile && _plugin) {
		return usageError("--plugin is for running without --config", name());
	}
	Result<HostConfig> config = configurationOf(_configFile, _plugin, Reading::lenient);
	if (!config) {
		complain(config.error().text);
		return config.error().passes ? exitTemporary : exitConfig;
	}
	const auto http = httpSettings(_http, *config);
	const Result<void> mayServe = http && *http ? observe::web::mayListen(**http) : Result<void>();
	if (!http || !mayServe) {
		return usageError((http ? mayServe : tl::unexpected(http.error())).error().text, name());
	}
	// The registry alone keeps them: of 100,000 each copy is some 40 MB.
	std::vector<registry::IssuerSpec> issuers = std::exchange(config->issuers, {});
	config->origins.clear();
	config->files.clear();

	SignalQueue signals; // before the first thread
	LastResort lastResort(signals);
	registry::Registry* all = nullptr; // both are made below, of what observation makes
	FleetPart* part = nullptr;
	const bool underSystemd = observe::Journald::reads(STDOUT_FILENO, std::getenv("JOURNAL_STREAM"));
	const auto observation = Observation::begin(
		{_format.value_or(underSystemd ? LogFormat::journald : LogFormat::human), _level,
			{isColourful(STDOUT_FILENO), longestName(issuers)}, config->journal, config->exec},
		[&] {
			auto snapshot = all == nullptr ? std::vector<observe::IssuerStatus>() : all->snapshot();
			if (part != nullptr) {
				part->nameKeepers(snapshot);
			}
			return snapshot;
		},
		[&] { return part == nullptr ? std::nullopt : part->status(); },
		[&] { return part == nullptr ? std::nullopt : part->statusOfAll(); });
	const auto journal = observation->sink();
	loader::PluginLibraries plugins;
	FleetPart fleet(config->fleet, journal);
	part = &fleet;
	registry::Surroundings surroundings;
	surroundings.sink = fleet.sink();
	surroundings.lastState = [&](const std::string& issuer, const std::string& plugin, std::string state) {
		fleet.lastState(issuer, plugin, std::move(state));
	};
	surroundings.stopTimeout = config->stopTimeout;
	surroundings.callTimeout = std::clamp<std::chrono::milliseconds>(config->stopTimeout, 1s, 10s);
	surroundings.swapTimeout = config->swapTimeout;
	surroundings.backoff = pauseAfter;
	surroundings.resolve = [folder = std::filesystem::absolute(_plugins.value_or(installedPlugins()))](
							   loader::PluginFile file) { return loader::resolved(std::move(file), folder); };
	registry::Registry registry(plugins, surroundings);
	all = &registry;
	fleet.prepare(registry, observation->fleet(), observation->snapshot());

	Reloading reloading(registry, *observation,
		{[this] { return configurationOf(_configFile, _plugin); },
			[this] { return _configFile ? checkInChild(*_configFile, _plugins) : Result<void>(); }, *config,
			_http.has_value(), _control.has_value(), [&] { fleet.reloaded(); }});
	const HostActions actions{[&](ReloadMode mode) { return reloading.reload(mode); },
		[&](const registry::IssuerSpec& candidate) { return tryInChild(candidate, surroundings); },
		[&](issuer_log_level level) { observation->setLogLevel(level); }, observation->snapshot(),
		[&] { return fleet.statusOfAll(); }};
	std::unique_ptr<control::Server> control;
	std::unique_ptr<observe::web::Server> server;
	Attempts attempts(journal, surroundings.calls);
	const auto service = observation->watch();
	const auto path = controlPath(_control, *config);
	const auto listen = [&]() -> Result<std::string> {
		const auto answer = [&](std::string_view line, control::Peer peer) {
			return answerControl(registry, observation->fleet(), actions, line, peer);
		};
		return control::Server::listen(*path, answer, config->controlGroup)
			.map([&](std::unique_ptr<control::Server> listening) {
				control = std::move(listening);
				return "`status` and `swap` listen at " + path->string();
			});
	};
	const auto serve = [&]() -> Result<std::string> {
		return observation->serve(*http).map([&](std::unique_ptr<observe::web::Server> serving) {
			server = std::move(serving);
			return "the status page is at " + server->url();
		});
	};
	const auto begin = [&] {
		tellFaults(*journal, *config);
		if (*http) {
			attempts.begin(serve);
		}
		if (path) {
			attempts.begin(listen);
		}
		const std::string count = counted(issuers.size(), "issuer");
		admit(observation->fleet(), issuers);
		registry.begin(std::exchange(issuers, {}));
		fleet.join();
		journal->notice({Action::ready, ISSUER_LOG_INFO, {},
			count + "; SIGTERM stops" + (_configFile ? ", SIGHUP reloads " + _configFile->string() : "")});
		service->ready();
	};

	std::function<void()> lookForFiles; // must outlive the thread that runs it
	registry::Workers chores(1);
	lookForFiles = [&] {
		registry.warnOfMissingFiles();
		chores.postAfter(filesPause, lookForFiles);
	};
	chores.postAfter(filesPause, lookForFiles);
	reloading.first(begin); // beside this thread, which must hear SIGTERM at any time
	while (signals.wait() == HostSignal::reload) {
		service->reloading();
		reloading.request([&] {
			registry.warnOfMissingFiles();
			service->ready();
		});
	}
	lastResort.arm(config->stopTimeout + aMoment + fleet.patience());
	lastResort.awaiting("an issuer does not stop");
	const auto closeLog = [&] {
		lastResort.awaiting("the last lines of the log or the journal file are not written");
		observation->close();
	};
	service->stopping();
	fleet.close();
	if (!registry.stopAll()) {
		// Threads of a plugin are still running, perhaps for ever: the process exits without destroying what they use.
		closeLog();
		std::_Exit(exitSoftware);
	}
	lastResort.awaiting("a reload does not end");
	fleet.leave();
	reloading.close();
	journal->notice({Action::ended, ISSUER_LOG_INFO, {}, "everything has stopped"});
	closeLog();
	return exitOk;
}

std::unique_ptr<Command> makeRun()
{
	return std::make_unique<Run>();
}

} // namespace issuer::commands
