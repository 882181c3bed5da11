#include "observe/systemd/journald.h"

#include "common/text.h"
#include "observe/events/names.h"

#include <cstdio>
#include <sys/stat.h>
#include <sys/uio.h>
#include <utility>

#define SD_JOURNAL_SUPPRESS_LOCATION // the location in this source would be useless in an entry
#include <systemd/sd-journal.h>

namespace issuer::observe {

namespace {

/// Returns the priority of syslog: 3 error, 4 warning, 6 information, 7 debug.
std::string priority(issuer_log_level level)
{
	const int number = level >= ISSUER_LOG_ERROR ? 3 : level == ISSUER_LOG_WARN ? 4 : level == ISSUER_LOG_INFO ? 6 : 7;
	return "PRIORITY=" + std::to_string(number);
}

std::string field(const char* name, std::string_view value)
{
	return std::string(name) + '=' + sanitize(value);
}

} // namespace

Journald::Journald(issuer_log_level level, Send send)
	: _level(level), _send(std::move(send)),
	  _entries({mostWaiting}, [this](const auto& entries, std::uint64_t dropped) { return sendAll(entries, dropped); })
{
}

void Journald::event(std::string_view issuer, const issuer_event& event)
{
	const issuer_log_level level = HumanLines::severity(event);
	if (!isKnown(event.kind) || _facts.isToldByTheNext(issuer, event) || level < _level) {
		return;
	}
	JournaldEntry entry{field("MESSAGE", _lines.event(issuer, event)), priority(level), field("ISSUER", issuer),
		field("ISSUER_EVENT", kindName(event.kind)), field("ISSUER_STATE", stateName(event.state)),
		field("ISSUER_REASON", reasonName(event.reason))};
	if (event.kind != ISSUER_EVENT_STATE) {
		entry.push_back(field("ISSUER_RESULT", resultName(event.result)));
		entry.push_back("ISSUER_LATENCY_US=" + std::to_string(event.latency_us));
	}
	if (event.ttl_ms >= 0) {
		entry.push_back("ISSUER_TTL_MS=" + std::to_string(event.ttl_ms));
	}
	if (event.expires_unix_ms >= 0) {
		entry.push_back("ISSUER_EXPIRES_UNIX_MS=" + std::to_string(event.expires_unix_ms));
	}
	_entries.add(std::move(entry));
}

void Journald::log(std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text)
{
	if (level < _level || component == "events") { // component "events" repeats the events
		return;
	}
	_entries.add({field("MESSAGE", _lines.log(0, issuer, level, component, text)), priority(level),
		field("ISSUER", issuer), field("ISSUER_COMPONENT", component)});
}

void Journald::notice(const Notice& notice)
{
	if (notice.level < _level) {
		return;
	}
	JournaldEntry entry{field("MESSAGE", _lines.notice(0, notice)), priority(notice.level),
		field("ISSUER_ACTION", actionName(notice.action))};
	if (!notice.issuer.empty()) {
		entry.push_back(field("ISSUER", notice.issuer));
	}
	_entries.add(std::move(entry));
}

bool Journald::sendAll(const std::deque<JournaldEntry>& entries, std::uint64_t dropped) const
{
	for (const JournaldEntry& entry : entries) {
		_send(entry);
	}
	if (dropped > 0) {
		_send({"MESSAGE=" + std::to_string(dropped) + " entries were dropped: journald is too slow",
			priority(ISSUER_LOG_WARN)});
	}
	return true;
}

bool Journald::reads(int fd, const char* journalStream)
{
	unsigned long long device = 0;
	unsigned long long inode = 0;
	struct stat about
	{
	};
	return journalStream != nullptr && std::sscanf(journalStream, "%llu:%llu", &device, &inode) == 2 &&
		   ::fstat(fd, &about) == 0 && about.st_dev == device && about.st_ino == inode;
}

void Journald::toJournald(const JournaldEntry& entry)
{
	std::vector<iovec> fields;
	fields.reserve(entry.size());
	for (const std::string& text : entry) {
		fields.push_back({const_cast<char*>(text.data()), text.size()}); // sendv only reads
	}
	::sd_journal_sendv(fields.data(), static_cast<int>(fields.size()));
}

} // namespace issuer::observe
