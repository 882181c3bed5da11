#include "observe/journal/journal.h"

#include "common/unix_time.h"
#include "observe/events/names.h"
#include "observe/journal/json_lines.h"

namespace issuer::observe {

void Journal::event(std::string_view issuer, const issuer_event& event)
{
	if (!isKnown(event.kind)) {
		return;
	}
	const bool saidTwice = _facts.isToldByTheNext(issuer, event) && _settings.format == Format::human;
	if (saidTwice || HumanLines::severity(event) < _level) {
		return;
	}
	_writer.write(_settings.format == Format::json ? jsonLine(issuer, event) : _human.event(issuer, event));
}

void Journal::log(std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text)
{
	// Component "events" repeats in words the recorded events (lifecycle.h, issuer_host::log), which are all shown.
	if (level < _level || component == "events") {
		return;
	}
	const std::int64_t now = unixMsNow();
	_writer.write(_settings.format == Format::json ? jsonLine(now, issuer, level, component, text)
												   : _human.log(now / 1000, issuer, level, component, text));
}

void Journal::notice(const Notice& notice)
{
	if (notice.level < _level) {
		return;
	}
	const std::int64_t now = unixMsNow();
	_writer.write(_settings.format == Format::json ? jsonLine(now, notice) : _human.notice(now / 1000, notice));
}

} // namespace issuer::observe
