#include "commands/reloading.h"

#include "common/json_object.h"

#include <future>

namespace issuer::commands {

using observe::Action;
using Outcome = ReloadReport::Result;
using namespace std::chrono_literals;

namespace {

/// A reload that has run for so long lets the next one begin: it only waits for swaps and stops by then.
constexpr std::chrono::milliseconds stuckAfter{250};

std::string nameOf(Outcome result)
{
	switch (result) {
	case Outcome::applied:
		return "applied";
	case Outcome::held:
		return "held";
	case Outcome::rolledBack:
		return "rolled_back";
	case Outcome::refused:
		return "refused";
	case Outcome::unreadable:
		return "unreadable";
	}
	return {};
}

std::vector<std::string> linesOf(std::string_view text)
{
	std::vector<std::string> lines;
	while (!text.empty()) {
		const std::string_view line = text.substr(0, text.find('\n'));
		lines.emplace_back(line);
		text.remove_prefix(std::min(line.size() + 1, text.size()));
	}
	return lines;
}

std::vector<std::string> namesOf(const HostConfig& config)
{
	std::vector<std::string> names;
	for (const registry::IssuerSpec& issuer : config.issuers) {
		names.push_back(issuer.name);
	}
	return names;
}

} // namespace

std::string reloadAnswer(const ReloadReport& report)
{
	const bool ok = report.result == Outcome::applied || report.result == Outcome::held;
	return JsonObject()
		.add("ok", ok)
		.add("result", nameOf(report.result))
		.addJson("sentences", jsonArray(report.sentences, jsonString))
		.add(ok ? "text" : "error", report.summary)
		.text();
}

Reloading::Reloading(registry::Registry& registry, Observation& observation, Settings settings)
	: _registry(registry), _observation(observation), _settings(std::move(settings)),
	  _tasks(std::in_place, 1U, registry::threadTrouble(observation.sink()), stuckAfter)
{
}

bool Reloading::post(std::function<void()> task)
{
	const std::lock_guard lock(_mutex);
	if (_tasks) {
		_tasks->post(std::move(task));
	}
	return _tasks.has_value();
}

void Reloading::first(std::function<void()> task)
{
	static_cast<void>(post([this, task = std::move(task)] {
		const std::lock_guard order(_order);
		task();
	}));
}

void Reloading::request(std::function<void()> done)
{
	static_cast<void>(post([this, done = std::move(done)] {
		apply(nullptr);
		done();
	}));
}

ReloadReport Reloading::reload(ReloadMode mode)
{
	const auto answered = std::make_shared<std::promise<ReloadReport>>();
	const bool posted = post([this, mode, answered] {
		switch (mode) {
		case ReloadMode::begin: {
			bool begun = false;
			const ReloadReport report = apply([&](const ReloadReport& underWay) {
				begun = true;
				answered->set_value(underWay);
			});
			return begun ? void() : answered->set_value(report);
		}
		case ReloadMode::wait:
			return answered->set_value(apply(nullptr));
		case ReloadMode::dryRun:
			return answered->set_value(dryRun());
		}
	});
	return posted ? answered->get_future().get() : ReloadReport{Outcome::refused, {}, "the host is stopping"};
}

void Reloading::close()
{
	const std::lock_guard lock(_mutex); // a caller of post() waits here, and then gets an error
	_tasks.reset();
}

/// The settings that a host keeps from its start on.
std::vector<std::string> Reloading::heldSettings(const HostConfig& wanted) const
{
	const HostConfig& started = _settings.started;
	const std::pair<const char*, bool> settings[] = {
		{"http", !_settings.httpByOption && wanted.http != started.http},
		{"journal", wanted.journal != started.journal},
		{"control", !_settings.controlByOption && wanted.control != started.control},
		{"control_group", wanted.controlGroup != started.controlGroup},
		{"exec", wanted.exec != started.exec},
		{"fleet", wanted.fleet != started.fleet},
		{"stop_timeout", wanted.stopTimeout != started.stopTimeout},
		{"swap_timeout", wanted.swapTimeout != started.swapTimeout},
	};
	std::vector<std::string> sentences;
	for (const auto& [name, differs] : settings) {
		if (differs) {
			sentences.push_back(
				std::string(name) + " is another now, which cannot change while the host runs: restart it");
		}
	}
	return sentences;
}

ReloadReport Reloading::reportOf(
	const registry::Changes& changes, const std::vector<std::string>& held, const char* tense) const
{
	ReloadReport report;
	report.sentences = changes.sentences;
	report.sentences.insert(report.sentences.end(), held.begin(), held.end());
	const auto add = [&](std::size_t count, const std::string& what) {
		if (count > 0) {
			report.summary += (report.summary.empty() ? "" : ", ") + std::to_string(count) + " issuer" +
							  (count == 1 ? " " : "s ") + what;
		}
	};
	add(changes.kept, "untouched");
	add(changes.swapped, std::string(tense) + "swapped");
	add(changes.rolledBack, "not swapped");
	add(changes.added, "added");
	add(changes.removed, std::string(tense) + "removed");
	for (const std::string& sentence : held) {
		report.summary += "; " + sentence;
	}
	report.result = changes.rolledBack > 0                  ? Outcome::rolledBack
					: !held.empty() || changes.outdated > 0 ? Outcome::held
															: Outcome::applied;
	return report;
}

/// Failures are one a line, and each is a line of the log.
ReloadReport Reloading::refused(const Error& error)
{
	const std::string summary = "the new configuration is not used; nothing was changed";
	for (const std::string& line : linesOf(error.text)) {
		_observation.sink()->notice({Action::faulty, ISSUER_LOG_ERROR, {}, line});
	}
	_observation.sink()->notice({Action::refused, ISSUER_LOG_ERROR, {}, summary});
	return {error.passes ? Outcome::unreadable : Outcome::refused, linesOf(error.text), summary};
}

/// Lets the fleet record new issuers from their first event on, and removed ones to their last.
ReloadReport Reloading::apply(const Begun& begun)
{
	std::unique_lock order(_order);
	const Result<HostConfig> config = _settings.read();
	if (!config) {
		return refused(config.error());
	}
	const std::vector<std::string> held = heldSettings(*config);
	const std::vector<std::string> names = namesOf(*config);
	const std::uint64_t number = ++_latest;
	_observation.fleet().admit(names);
	const Result<registry::Changes> changes = _registry.apply(config->issuers, [&](const registry::Changes& underWay) {
		order.unlock();
		_settings.applied();
		if (begun) {
			begun(reportOf(underWay, held, "being "));
		}
	});
	if (!changes) {
		return refused(changes.error());
	}
	order.lock();
	if (number == _latest) { // a later one knows better
		_observation.fleet().keepOnly(names);
	}
	order.unlock();
	ReloadReport report = reportOf(*changes, held, "");
	_observation.sink()->notice(
		{Action::reloaded, report.result == Outcome::applied ? ISSUER_LOG_INFO : ISSUER_LOG_WARN, {}, report.summary});
	return report;
}

ReloadReport Reloading::dryRun()
{
	const Result<HostConfig> config = _settings.read();
	const Result<void> checked = config ? _settings.check() : tl::unexpected(config.error());
	if (!checked) {
		return {checked.error().passes ? Outcome::unreadable : Outcome::refused, linesOf(checked.error().text),
			"the configuration would not be used, and nothing would be changed"};
	}
	return reportOf(_registry.compare(config->issuers), heldSettings(*config), "to be ");
}

} // namespace issuer::commands
