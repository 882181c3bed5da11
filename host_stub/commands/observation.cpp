#include "commands/observation.h"

#include "observe/exec/exec.h"
#include "observe/fleet/progress.h"
#include "observe/journal/journal_file.h"
#include "observe/systemd/journald.h"

#include <unistd.h>

namespace issuer::commands {

using observe::Action;

Observation::Observation(
	const Settings& settings, observe::HostSnapshot snapshot, observe::FleetSnapshot part, observe::FleetSnapshot whole)
	: _snapshot(std::move(snapshot)), _fleet(std::make_shared<observe::Fleet>()),
	  _metrics(std::make_shared<observe::Metrics>(*_fleet, _snapshot, ISSUER_VERSION, part)),
	  _site(std::make_unique<observe::web::Site>(*_fleet, _snapshot, *_metrics, std::move(part), std::move(whole)))
{
	if (settings.format == LogFormat::journald) {
		const auto journald = std::make_shared<observe::Journald>(settings.level);
		_close = [journald] { journald->close(); };
		_setLogLevel = [journald](issuer_log_level level) { journald->setLevel(level); };
		_lines = journald;
		return;
	}
	using Format = observe::Journal::Format;
	const Format format = settings.format == LogFormat::json ? Format::json : Format::human;
	const auto journal = std::make_shared<observe::Journal>(
		STDOUT_FILENO, observe::Journal::Settings{format, settings.level, settings.style});
	_close = [journal] { journal->close(); };
	_setLogLevel = [journal](issuer_log_level level) { journal->setLevel(level); };
	_lines = journal;
}

std::unique_ptr<Observation> Observation::begin(
	const Settings& settings, observe::HostSnapshot snapshot, observe::FleetSnapshot part, observe::FleetSnapshot whole)
{
	// No make_unique: the constructor is private.
	std::unique_ptr<Observation> self(
		new Observation(settings, std::move(snapshot), std::move(part), std::move(whole)));
	std::vector<std::shared_ptr<observe::EventSink>> sinks{self->_fleet, self->_metrics, self->_lines};
	if (settings.journal) {
		const auto complain = [others = std::make_shared<observe::EventFanout>(sinks)](
								  issuer_log_level level, const std::string& text) {
			others->notice({Action::journal, level, {}, text});
		};
		const auto journal = std::make_shared<observe::JournalFile>(
			observe::RotatedFile::Settings{settings.journal->file, settings.journal->maxBytes, settings.journal->keep},
			complain, observe::JournalFile::Patience{});
		self->_close = [journal, closeLines = self->_close] {
			journal->close();
			closeLines();
		};
		sinks.push_back(journal);
	}
	if (!settings.exec.empty()) {
		const auto complain = [others = std::make_shared<observe::EventFanout>(sinks)](const std::string& text) {
			others->notice({Action::exec, ISSUER_LOG_WARN, {}, text});
		};
		const auto exec = std::make_shared<observe::Exec>(settings.exec, complain);
		self->_close = [exec, closeOthers = self->_close] {
			exec->close();
			closeOthers();
		};
		sinks.push_back(exec);
	}
	self->_sink = std::make_shared<observe::EventFanout>(std::move(sinks));
	return self;
}

Result<std::unique_ptr<observe::web::Server>> Observation::serve(
	const std::optional<observe::web::Settings>& settings) const
{
	if (!settings) {
		return nullptr;
	}
	return observe::web::Server::start(*settings, *_site);
}

std::unique_ptr<observe::Service> Observation::watch() const
{
	const auto condition = [this]() -> observe::Service::Condition {
		const auto issuers = observe::viewAll(*_fleet, _snapshot);
		return {observe::summary(issuers), observe::stall(issuers, _fleet->lastEvent(), _fleet->steadyNow())};
	};
	const auto onStall = [sink = _sink](const std::string& text) {
		sink->notice({Action::stalled, ISSUER_LOG_ERROR, {}, text});
	};
	return std::make_unique<observe::Service>(
		observe::Service::manager(), observe::Service::watchdog(), condition, onStall);
}

void Observation::close()
{
	_close();
}

} // namespace issuer::commands
