#pragma once

#include "commands/host_config.h"
#include "observe/events/event_fanout.h"
#include "observe/journal/journal.h"
#include "observe/metrics/metrics.h"
#include "observe/systemd/service.h"
#include "observe/web/server.h"

#include <memory>

namespace issuer::commands {

enum class LogFormat
{
	human,
	json,
	journald,
};

/// Everything that makes a host's work visible: lines on stdout or in systemd's journal, the journal file, and the
/// fleet from which metrics, page and terminal are rendered.
class Observation
{
public:
	struct Settings
	{
		LogFormat format = LogFormat::human;
		issuer_log_level level = ISSUER_LOG_INFO;
		observe::HumanLines::Style style;
		std::optional<JournalConfig> journal;
		std::vector<observe::ExecRule> exec;
	};

	/// `snapshot`, `part`, of the host in its fleet, and `whole`, with what other members tell, are called only by the
	/// objects that serve() and watch() return.
	[[nodiscard]] static std::unique_ptr<Observation> begin(const Settings& settings, observe::HostSnapshot snapshot,
		observe::FleetSnapshot part, observe::FleetSnapshot whole);

	[[nodiscard]] const std::shared_ptr<observe::EventSink>& sink() const { return _sink; }
	[[nodiscard]] observe::Fleet& fleet() { return *_fleet; }
	[[nodiscard]] const observe::HostSnapshot& snapshot() const { return _snapshot; }

	/// Starts the web server, which ends with the returned object; that must be destroyed before the objects that the
	/// snapshot uses. Null: none is configured.
	[[nodiscard]] Result<std::unique_ptr<observe::web::Server>> serve(
		const std::optional<observe::web::Settings>& settings) const;

	/// Starts reporting to the service manager; the same holds for the returned object.
	[[nodiscard]] std::unique_ptr<observe::Service> watch() const;

	/// Sets the lowest level of the log's lines from now on. The journal file keeps everything. [thread-safe]
	void setLogLevel(issuer_log_level level) const { _setLogLevel(level); }

	/// Writes the lines told so far; later ones are dropped.
	void close();

private:
	Observation(const Settings& settings, observe::HostSnapshot snapshot, observe::FleetSnapshot part,
		observe::FleetSnapshot whole);

	const observe::HostSnapshot _snapshot;
	std::shared_ptr<observe::Fleet> _fleet;
	std::shared_ptr<observe::Metrics> _metrics;
	std::unique_ptr<observe::web::Site> _site;
	std::shared_ptr<observe::EventSink> _lines;
	std::shared_ptr<observe::EventSink> _file;
	std::shared_ptr<observe::EventSink> _sink;
	std::function<void(issuer_log_level)> _setLogLevel;
	std::function<void()> _close;
};

} // namespace issuer::commands
