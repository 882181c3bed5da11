#include "commands/canary.h"

#include "commands/commands.h"
#include "commands/exit_codes.h"
#include "commands/host_config.h"
#include "commands/quick_config.h"
#include "common/child_process.h"
#include "common/text.h"
#include "loader/installed.h"
#include "loader/plugins.h"
#include "registry/plugin_instance.h"

#include <iostream>
#include <map>
#include <memory>
#include <set>

namespace issuer::commands {

using registry::CallResult;
using registry::Calls;
using registry::PluginInstance;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// That process. Not for people.
class CanaryChild final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "canary-child"; }
	[[nodiscard]] std::string_view summary() const override { return {}; }
	[[nodiscard]] std::string_view help() const override { return "Part of `issuer-host swap --canary`.\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

/// The other one.
class CheckChild final : public Command
{
public:
	[[nodiscard]] std::string_view name() const override { return "check-child"; }
	[[nodiscard]] std::string_view summary() const override { return {}; }
	[[nodiscard]] std::string_view help() const override { return "Part of `issuer-host check`.\n"; }
	void defineOptions(Poco::Util::OptionSet&) const override {}
	bool setOption(const std::string&, std::string&) override { return true; }
	int run(const std::vector<std::string>& arguments) override;
};

/// A line of a child's report begins with one of these.
constexpr std::string_view stepMark = "in ";     ///< a step begins; the last one may hang or crash
constexpr std::string_view faultMark = "fault "; ///< the step that failed, and the reason
constexpr std::string_view doneMark = "done";    ///< it has done everything

class NoSink final : public observe::EventSink
{
public:
	void event(std::string_view, const issuer_event&) override {}
	void log(std::string_view, issuer_log_level, std::string_view, std::string_view) override {}
	void notice(const observe::Notice&) override {}
};

/// On one line, for a report is lines.
void report(std::string_view mark, std::string_view text = {})
{
	reportToParent(std::string(mark) + sanitize(text) + '\n');
}

/// Runs such a child and reads its report.
Result<void> runReporting(std::vector<std::string> arguments, const std::string& input, seconds limit)
{
	arguments.insert(arguments.begin(), thisProgram);
	const Result<ChildEnd> end =
		runChild({.arguments = std::move(arguments), .input = input, .reports = true, .limit = limit});
	if (!end) {
		return passingFailure("it cannot be tried in a process of its own: " + end.error().text);
	}
	std::string step = "its begin";
	std::string faults;
	bool done = false;
	std::string_view lines = end->report;
	while (!lines.empty()) {
		const std::string_view line = lines.substr(0, lines.find('\n'));
		lines.remove_prefix(std::min(line.size() + 1, lines.size()));
		if (line.starts_with(stepMark)) {
			step = line.substr(stepMark.size());
		}
		else if (line.starts_with(faultMark)) {
			(faults += faults.empty() ? "" : "\n") += line.substr(faultMark.size());
		}
		done = line == doneMark;
	}
	if (!done) {
		const std::string trouble = end->trouble();
		(faults += faults.empty() ? "" : "\n") +=
			step + ": " + (trouble.empty() ? "the process ends before it is done" : trouble);
	}
	return faults.empty() ? Result<void>() : failure(std::move(faults));
}

/// The steps of one issuer's life. The error says which failed.
Result<void> live(const registry::IssuerSpec& spec, milliseconds callTimeout, milliseconds startTimeout)
{
	const auto soon = [&] { return Calls::Clock::now() + callTimeout; };
	const auto named = [](const char* step) {
		return [step](const registry::CallError& error) { return Error{std::string(step) + ": " + error.text}; };
	};
	report(stepMark, "load");
	loader::PluginLibraries plugins;
	auto plugin = plugins.open(spec.plugin);
	if (!plugin) {
		return tl::unexpected(plugin.error());
	}
	report(stepMark, "create");
	auto instance =
		PluginInstance::create(*plugin, spec.name, spec.config, std::make_shared<NoSink>(), Calls::make(), soon());
	if (!instance) {
		return tl::unexpected(named("create")(instance.error()));
	}
	report(stepMark, "set_recorder");
	return (*instance)
		->record(soon())
		.map_error(named("set_recorder"))
		.and_then([&] {
			report(stepMark, "start");
			return (*instance)->start(Calls::Clock::now() + startTimeout).map_error(named("start"));
		})
		.and_then([&] {
			report(stepMark, "stop");
			return (*instance)->stop(callTimeout).map_error(named("stop"));
		})
		.and_then([&] {
			report(stepMark, "destroy");
			return (*instance)->destroy(soon()).map_error(named("destroy"));
		});
}

[[noreturn]] void end()
{
	std::_Exit(exitOk); // also while a call of the plugin hangs
}

} // namespace

Result<void> tryInChild(const registry::IssuerSpec& candidate, const registry::Surroundings& surroundings)
{
	constexpr int boundedCalls = 5; // beside start
	const seconds limit = std::chrono::ceil<seconds>(
		surroundings.callTimeout * boundedCalls + surroundings.swapTimeout + surroundings.stopTimeout);
	std::vector<std::string> arguments{"canary-child", candidate.plugin.path.string(),
		std::to_string(surroundings.callTimeout.count()), std::to_string(surroundings.swapTimeout.count())};
	if (candidate.plugin.sha256) {
		arguments.push_back(*candidate.plugin.sha256);
	}
	return runReporting(std::move(arguments), candidate.config, limit).map_error([](Error error) {
		error.text.insert(0, "the candidate failed in a process of its own: ");
		return error;
	});
}

Result<void> checkInChild(const std::filesystem::path& config, const std::optional<std::filesystem::path>& plugins)
{
	constexpr seconds limit{60};
	return runReporting({"check-child", config.string(), plugins.value_or(installedPlugins()).string()}, "", limit);
}

int CanaryChild::run(const std::vector<std::string>& arguments)
{
	beChild();
	if (arguments.size() < 3) {
		return usageError("canary-child takes a plugin and two times");
	}
	registry::IssuerSpec spec{"canary", {arguments[0], std::nullopt}, {}};
	spec.config.assign(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
	if (arguments.size() > 3) {
		spec.plugin.sha256 = arguments[3];
	}
	const Result<void> lived =
		live(spec, milliseconds(std::stoll(arguments[1])), milliseconds(std::stoll(arguments[2])));
	if (!lived) {
		report(faultMark, lived.error().text);
	}
	report(doneMark);
	end();
}

int CheckChild::run(const std::vector<std::string>& arguments)
{
	beChild();
	if (arguments.size() != 2) {
		return usageError("check-child takes a configuration and a plugin directory");
	}
	report(stepMark, "reading the configuration");
	const Result<HostConfig> config = loadConfig(arguments[0]);
	if (!config) {
		report(faultMark, config.error().text);
		report(doneMark);
		end();
	}
	auto& plugins = *new loader::PluginLibraries; // nothing of this process is put in order
	registry::Surroundings surroundings;
	surroundings.sink = std::make_shared<NoSink>();
	std::set<std::string> hanging; // libraries; a call into one may hang for its time once, not for each of its issuers
	std::map<std::string, std::shared_ptr<const loader::Plugin>> used; // so that none is loaded again for each issuer
	for (const registry::IssuerSpec& issuer : config->issuers) {
		report(stepMark, "issuer " + issuer.name);
		auto opened = loader::resolved(issuer.plugin, arguments[1]).and_then([&](const loader::PluginFile& file) {
			return plugins.open(file);
		});
		if (!opened) {
			report(faultMark, "issuer " + issuer.name + ": " + opened.error().text);
			continue;
		}
		const std::string library = (*opened)->description().path.string();
		used.emplace(library, *opened);
		if (hanging.contains(library)) {
			continue;
		}
		auto candidate = registry::createCandidate(issuer, *opened, surroundings);
		if (!candidate) {
			report(faultMark, candidate.error().text);
			if (surroundings.calls->leftBehind() > hanging.size()) {
				hanging.insert(library);
			}
		}
	}
	report(doneMark);
	end();
}

std::unique_ptr<Command> makeCanaryChild()
{
	return std::make_unique<CanaryChild>();
}

std::unique_ptr<Command> makeCheckChild()
{
	return std::make_unique<CheckChild>();
}

} // namespace issuer::commands
