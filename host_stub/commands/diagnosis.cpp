#include "commands/diagnosis.h"

#include "commands/quick_config.h"
#include "commands/schema_secrets.h"
#include "common/json_object.h"
#include "common/text.h"
#include "loader/installed.h"
#include "loader/plugins.h"
#include "observe/events/event_sink.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace issuer::commands {

using registry::Finding;

namespace {

/// Collects the findings in their order. A warning that a plugin logs meanwhile is a finding too: an address without
/// TLS, verification switched off. It may come from any of the plugin's threads, at any time until the plugin ends.
class Notes final : public observe::EventSink
{
public:
	void add(Finding finding)
	{
		const std::lock_guard lock(_mutex);
		_findings.push_back(std::move(finding));
	}
	[[nodiscard]] std::vector<Finding> all() const
	{
		const std::lock_guard lock(_mutex);
		return _findings;
	}

	void event(std::string_view, const issuer_event&) override {}
	void notice(const observe::Notice&) override {}
	void log(std::string_view, issuer_log_level level, std::string_view component, std::string_view text) override
	{
		if (level >= ISSUER_LOG_WARN) {
			add({ISSUER_FINDING_WARN, sanitize(component), sanitize(text), {}});
		}
	}

private:
	mutable std::mutex _mutex;
	std::vector<Finding> _findings;
};

std::string levelName(issuer_finding_level level)
{
	switch (level) {
	case ISSUER_FINDING_OK:
		return "ok";
	case ISSUER_FINDING_WARN:
		return "warning";
	case ISSUER_FINDING_PROBLEM:
		return "problem";
	}
	return "note"; // also for a level of a later revision
}

const char* colourOf(issuer_finding_level level)
{
	return level == ISSUER_FINDING_PROBLEM ? "\033[31m" : level == ISSUER_FINDING_WARN ? "\033[33m" : "";
}

std::string padded(std::string text, std::size_t width)
{
	return text.append(text.size() < width ? width - text.size() : 0, ' ');
}

std::string counted(std::size_t count, const std::string& what)
{
	return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

/// Loads plugins for several threads, one at a time.
class SharedPlugins final : public loader::Plugins
{
public:
	[[nodiscard]] Result<std::shared_ptr<const loader::Plugin>> open(const loader::PluginFile& file) override
	{
		const std::lock_guard lock(_mutex);
		return _plugins.open(file);
	}
	Release release(std::shared_ptr<const loader::Plugin> plugin) override
	{
		const std::lock_guard lock(_mutex);
		return _plugins.release(std::move(plugin));
	}

private:
	std::mutex _mutex;
	loader::PluginLibraries _plugins;
};

/// Shows on a terminal how many issuers have been looked at, in a line of its own that the next output replaces.
class Progress
{
public:
	explicit Progress(std::size_t total) : _total(total), _shown(total > 1 && ::isatty(STDERR_FILENO) == 1) {}

	void show(std::size_t done) const
	{
		if (_shown) {
			std::cerr << "\r\033[K" << done << " of " << _total << " issuers looked at" << std::flush;
		}
	}
	void clear() const
	{
		if (_shown) {
			std::cerr << "\r\033[K" << std::flush;
		}
	}

private:
	const std::size_t _total;
	const bool _shown;
};

std::filesystem::path originOf(const registry::IssuerSpec& issuer, const HostConfig& config)
{
	const auto found = config.origins.find(issuer.name);
	return found != config.origins.end() ? found->second
		   : config.files.empty()        ? std::filesystem::path() // an issuer of the environment
										 : config.files.front();
}

/// Returns whether the modes of a file and of all folders above it let every user of this machine read it.
bool allUsersMayRead(const std::filesystem::path& file)
{
	std::error_code error;
	const std::filesystem::path real = std::filesystem::canonical(file, error);
	struct stat status
	{
	};
	bool may = !error && ::stat(real.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
	for (std::filesystem::path folder = real; may && folder.has_relative_path();) {
		folder = folder.parent_path();
		may = ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IXOTH) != 0;
	}
	return may;
}

/// Returns a warning if every user of this machine may read a configuration that holds a secret. A file that its group
/// may read is fine: so root lends it to the host's user.
std::optional<Finding> lookAtReaders(
	const registry::IssuerSpec& spec, const std::filesystem::path& file, const loader::Description& plugin)
{
	if (file.empty() || !allUsersMayRead(file)) {
		return std::nullopt;
	}
	const std::vector<std::string> secrets = secretsIn(spec.config, plugin.configSchema.value_or(""));
	if (secrets.empty()) {
		return std::nullopt;
	}
	return Finding{ISSUER_FINDING_WARN, "config",
		"every user of this machine may read " + sanitize(file.string()) + ", which holds " + sanitize(secrets.front()),
		"chmod o-r it, or keep the secret in a file of its own"};
}

std::string findingsAsJson(const Diagnosis& diagnosis)
{
	return jsonArray(diagnosis.findings, [](const Finding& finding) {
		return JsonObject()
			.add("level", levelName(finding.level))
			.add("topic", finding.topic)
			.add("text", finding.text)
			.add("advice", finding.advice)
			.text();
	});
}

/// Diagnoses one issuer, of the configuration in `file`, without starting it.
Diagnosis diagnose(const registry::IssuerSpec& spec, const std::filesystem::path& file, loader::Plugins& plugins,
	std::chrono::milliseconds timeout, bool login)
{
	Diagnosis diagnosis{spec.name, {}, {}};
	auto plugin = loader::resolved(spec.plugin, installedPlugins()).and_then([&](const loader::PluginFile& found) {
		return plugins.open(found);
	});
	if (!plugin) {
		diagnosis.findings.push_back({ISSUER_FINDING_PROBLEM, "plugin", plugin.error().text, {}});
		return diagnosis;
	}
	diagnosis.by = (*plugin)->description().nameAndVersion();
	const auto notes = std::make_shared<Notes>();
	if (std::optional<Finding> readers = lookAtReaders(spec, file, (*plugin)->description())) {
		notes->add(std::move(*readers));
	}
	{
		auto instance = registry::PluginInstance::create(
			*plugin, spec.name, spec.config, notes, registry::Calls::make(), registry::Calls::Clock::now() + timeout);
		if (!instance) {
			notes->add({ISSUER_FINDING_PROBLEM, "config", instance.error().text, {}});
		}
		else {
			const auto note = [&](Finding finding) { notes->add(std::move(finding)); };
			const auto looked = (*instance)->diagnose(timeout, note);
			if (!looked && looked.error().code == ISSUER_E_UNSUPPORTED) {
				notes->add({ISSUER_FINDING_NOTE, "plugin",
					"its configuration is accepted; more than that this plugin cannot say without being started", {}});
			}
			else if (!looked) {
				notes->add({ISSUER_FINDING_PROBLEM, "plugin", "it cannot look: " + looked.error().text, {}});
			}
			if (const auto tried = login ? (*instance)->diagnoseLogin(timeout, note) : registry::CallResult(); !tried) {
				const bool hasNone = tried.error().code == ISSUER_E_UNSUPPORTED;
				notes->add({hasNone ? ISSUER_FINDING_NOTE : ISSUER_FINDING_PROBLEM, "login",
					"not tried: " + tried.error().text, {}});
			}
		}
	}
	diagnosis.findings = notes->all();
	plugins.release(std::move(*plugin));
	return diagnosis;
}

} // namespace

std::size_t countOf(const Diagnoses& diagnoses, issuer_finding_level level)
{
	const auto countIn = [level](const Diagnosis& diagnosis) {
		return static_cast<std::size_t>(std::ranges::count(diagnosis.findings, level, &Finding::level));
	};
	std::size_t count = diagnoses.fleet ? countIn(*diagnoses.fleet) : 0;
	for (const Diagnosis& diagnosis : diagnoses.issuers) {
		count += countIn(diagnosis);
	}
	return count;
}

std::vector<Diagnosis> diagnoseAll(const HostConfig& config, std::chrono::milliseconds timeout, bool login,
	const std::function<void(const Diagnosis&)>& tell)
{
	constexpr std::size_t mostThreads = 16;
	const std::vector<registry::IssuerSpec>& issuers = config.issuers;
	SharedPlugins plugins;
	std::mutex mutex;
	std::condition_variable changed;
	std::vector<std::optional<Diagnosis>> found(issuers.size());
	std::size_t done = 0;
	std::atomic<std::size_t> next = 0;
	const auto look = [&] {
		for (std::size_t i = next++; i < issuers.size(); i = next++) {
			Diagnosis diagnosis = diagnose(issuers[i], originOf(issuers[i], config), plugins, timeout, login);
			const std::lock_guard lock(mutex);
			found[i] = std::move(diagnosis);
			++done;
			changed.notify_one();
		}
	};
	std::vector<std::jthread> threads;
	for (std::size_t i = 0; i < std::min(mostThreads, issuers.size()); ++i) {
		threads.emplace_back(look);
	}
	const Progress progress(issuers.size());
	std::vector<Diagnosis> all;
	std::unique_lock lock(mutex);
	while (all.size() < issuers.size()) {
		progress.show(done);
		const std::size_t before = done;
		changed.wait(lock, [&] { return done > before || found[all.size()]; });
		for (; all.size() < issuers.size() && found[all.size()]; all.push_back(std::move(*found[all.size()]))) {
			progress.clear();
			tell(*found[all.size()]);
		}
	}
	progress.clear();
	return all;
}

std::string diagnosisForPeople(const Diagnosis& diagnosis, bool colours)
{
	std::string text = sanitize(diagnosis.subject) + (diagnosis.by.empty() ? "" : "  (" + diagnosis.by + ")") + '\n';
	std::size_t width = 0;
	for (const Finding& finding : diagnosis.findings) {
		width = std::max(width, finding.topic.size());
	}
	for (const Finding& finding : diagnosis.findings) {
		const std::string colour = colours ? colourOf(finding.level) : "";
		text += "  " + colour + padded(levelName(finding.level), 7) + (colour.empty() ? "" : "\033[0m") + "  " +
				padded(finding.topic, width) + "  " + finding.text + '\n';
		if (!finding.advice.empty()) {
			text += std::string(width + 13, ' ') + "→ " + finding.advice + '\n';
		}
	}
	return text + '\n';
}

std::string summaryForPeople(const Diagnoses& diagnoses)
{
	return counted(diagnoses.issuers.size(), "issuer") + (diagnoses.fleet ? " and the fleet, " : ", ") +
		   counted(countOf(diagnoses, ISSUER_FINDING_PROBLEM), "problem") + ", " +
		   counted(countOf(diagnoses, ISSUER_FINDING_WARN), "warning") + '\n';
}

std::string diagnosesAsJson(const Diagnoses& diagnoses)
{
	const auto issuers = jsonArray(diagnoses.issuers, [](const Diagnosis& diagnosis) {
		return JsonObject()
			.add("name", diagnosis.subject)
			.add("plugin", diagnosis.by)
			.addJson("findings", findingsAsJson(diagnosis))
			.text();
	});
	JsonObject json;
	json.add("problems", countOf(diagnoses, ISSUER_FINDING_PROBLEM))
		.add("warnings", countOf(diagnoses, ISSUER_FINDING_WARN))
		.addJson("issuers", issuers);
	if (diagnoses.fleet) {
		json.addJson("fleet", JsonObject()
								  .add("engine", diagnoses.fleet->by)
								  .addJson("findings", findingsAsJson(*diagnoses.fleet))
								  .text());
	}
	return json.text();
}

} // namespace issuer::commands
