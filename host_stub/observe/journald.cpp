#include "observe/journald.h"

#include "common/text.h"
#include "observe/names.h"

#include <csignal>
#include <cstdio>
#include <sys/stat.h>
#include <sys/uio.h>
#include <utility>

#define SD_JOURNAL_SUPPRESS_LOCATION // this file's name would say nothing about what happened
#include <systemd/sd-journal.h>

namespace issuer::observe {

namespace {

constexpr std::size_t capacity = 10'000;

/// As syslog counts: 3 error, 4 warning, 6 information, 7 debug.
std::string priority(issuer_log_level level)
{
	const int number = level >= ISSUER_LOG_ERROR ? 3 : level == ISSUER_LOG_WARN ? 4 : level == ISSUER_LOG_INFO ? 6 : 7;
	return "PRIORITY=" + std::to_string(number);
}

std::string field(const char* name, std::string_view value)
{
	return std::string(name) + '=' + printable(value);
}

} // namespace

Journald::Journald(issuer_log_level level, Send send) : _level(level), _send(std::move(send))
{
	sigset_t all; // a thread inherits its creator's mask, and signals are the main thread's business
	sigset_t before;
	::sigfillset(&all);
	::pthread_sigmask(SIG_SETMASK, &all, &before);
	_thread = std::thread([this] { run(); });
	::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Journald::event(std::string_view issuer, const issuer_event& event)
{
	const issuer_log_level level = HumanLines::severity(event);
	const bool known = event.kind == ISSUER_EVENT_RENEWAL || event.kind == ISSUER_EVENT_STATE;
	if (!known || level < _level) {
		return;
	}
	JournaldEntry entry{field("MESSAGE", _lines.event(issuer, event)), priority(level), field("ISSUER", issuer),
		field("ISSUER_EVENT", kindName(event.kind)), field("ISSUER_STATE", stateName(event.state)),
		field("ISSUER_REASON", reasonName(event.reason))};
	if (event.kind == ISSUER_EVENT_RENEWAL) {
		entry.push_back(field("ISSUER_RESULT", resultName(event.result)));
		entry.push_back("ISSUER_LATENCY_US=" + std::to_string(event.latency_us));
	}
	if (event.ttl_ms >= 0) {
		entry.push_back("ISSUER_TTL_MS=" + std::to_string(event.ttl_ms));
	}
	if (event.expires_unix_ms >= 0) {
		entry.push_back("ISSUER_EXPIRES_UNIX_MS=" + std::to_string(event.expires_unix_ms));
	}
	add(std::move(entry));
}

void Journald::log(std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text)
{
	if (level < _level || component == "events") { // which repeats what events say
		return;
	}
	add({field("MESSAGE", _lines.log(0, issuer, level, component, text)), priority(level), field("ISSUER", issuer),
		field("ISSUER_COMPONENT", component)});
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
	add(std::move(entry));
}

void Journald::close()
{
	{
		const std::lock_guard lock(_mutex);
		_closing = true;
	}
	_changed.notify_one();
	if (_thread.joinable()) {
		_thread.join();
	}
}

void Journald::add(JournaldEntry entry)
{
	{
		const std::lock_guard lock(_mutex);
		if (_closing) {
			return;
		}
		if (_entries.size() >= capacity) {
			++_dropped;
			return;
		}
		_entries.push_back(std::move(entry));
	}
	_changed.notify_one();
}

void Journald::run()
{
	std::unique_lock lock(_mutex);
	for (;;) {
		_changed.wait(lock, [this] { return _closing || !_entries.empty(); });
		if (_entries.empty()) {
			return;
		}
		std::deque<JournaldEntry> batch = std::exchange(_entries, {});
		if (const std::uint64_t dropped = std::exchange(_dropped, 0); dropped > 0) {
			batch.push_back({"MESSAGE=" + std::to_string(dropped) + " entries were dropped: journald is too slow",
				priority(ISSUER_LOG_WARN)});
		}
		lock.unlock();
		for (const JournaldEntry& entry : batch) {
			_send(entry);
		}
		lock.lock();
	}
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
