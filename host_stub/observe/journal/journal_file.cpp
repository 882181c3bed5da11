#include "observe/journal/journal_file.h"

#include "common/duration.h"
#include "common/json_object.h"
#include "common/unix_time.h"
#include "observe/events/names.h"
#include "observe/journal/json_lines.h"

#include <utility>

namespace issuer::observe {

JournalFile::JournalFile(RotatedFile::Settings file, Complain complain, Patience patience)
	: _settings(std::move(file)), _complain(std::move(complain)),
	  _watch(patience.silence,
		  [this, patience] {
			  tell(true, "journal " + _settings.path.string() + ": its file system has not answered for " +
							 inWords(patience.silence));
		  }),
	  _lines({patience.capacity, patience.retry},
		  [this](const auto& lines, std::uint64_t dropped) { return write(lines, dropped); })
{
}

void JournalFile::event(std::string_view issuer, const issuer_event& event)
{
	if (isKnown(event.kind)) {
		_lines.add(jsonLine(issuer, event));
	}
}

void JournalFile::log(
	std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text)
{
	if (level >= ISSUER_LOG_INFO && component != "events") { // component "events" repeats the events
		_lines.add(jsonLine(unixMsNow(), issuer, level, component, text));
	}
}

void JournalFile::notice(const Notice& notice)
{
	_lines.add(jsonLine(unixMsNow(), notice));
}

Result<void> JournalFile::append(const std::string& batch)
{
	if (!_file) {
		Result<RotatedFile> opened = RotatedFile::open(_settings);
		if (!opened) {
			return tl::unexpected(opened.error());
		}
		_file.emplace(std::move(*opened));
	}
	return _file->append(batch);
}

bool JournalFile::write(const std::deque<std::string>& lines, std::uint64_t dropped)
{
	std::string batch;
	for (const std::string& line : lines) {
		batch += line;
		batch += '\n';
	}
	if (dropped > 0) {
		batch += JsonObject().add("type", "journal").add("unix_ms", unixMsNow()).add("dropped", dropped).text() + '\n';
	}
	const Result<void> written = _watch.over([&] { return append(batch); });
	tell(!written, written ? std::string() : written.error().text);
	return written.has_value();
}

/// Complains if the state has changed. `text` says why it fails.
void JournalFile::tell(bool failing, const std::string& text)
{
	const std::lock_guard lock(_mutex);
	if (std::exchange(_failing, failing) == failing) {
		return;
	}
	if (failing) {
		_complain(ISSUER_LOG_WARN, text + "; its lines are kept for a while and tried again");
	}
	else {
		_complain(ISSUER_LOG_INFO, "the journal is written again");
	}
}

} // namespace issuer::observe
