#pragma once

#include "observe/events/event_sink.h"
#include "observe/events/facts.h"
#include "observe/events/human_lines.h"
#include "observe/journal/line_writer.h"

#include <atomic>

namespace issuer::observe {

/// Writes everything that happens as lines of text, for people or for programs.
class Journal final : public EventSink
{
public:
	enum class Format
	{
		human,
		json,
	};

	struct Settings
	{
		Format format = Format::human;
		issuer_log_level level = ISSUER_LOG_INFO; ///< lines below this level are left out
		HumanLines::Style style;
	};

	/// `fd` is borrowed.
	Journal(int fd, const Settings& settings)
		: _settings(settings), _level(settings.level), _human(settings.style), _writer(fd)
	{
	}

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override;
	void notice(const Notice& notice) override;

	/// Drops lines below `level` from now on. [thread-safe]
	void setLevel(issuer_log_level level) { _level = level; }

	/// Writes the lines told so far; later ones are dropped.
	void close() { _writer.close(); }

private:
	const Settings _settings;
	std::atomic<issuer_log_level> _level;
	const HumanLines _human;
	Facts _facts;
	LineWriter _writer;
};

} // namespace issuer::observe
