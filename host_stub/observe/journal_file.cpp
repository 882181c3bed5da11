#include "observe/journal_file.h"

#include "common/json_object.h"
#include "observe/json_lines.h"

#include <csignal>

namespace issuer::observe {

namespace {

std::int64_t unixMsNow()
{
	using namespace std::chrono;
	return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace

JournalFile::JournalFile(RotatedFile file, std::function<void(const std::string&)> complain, Patience patience)
	: _file(std::move(file)), _complain(std::move(complain)), _patience(patience)
{
	// A thread inherits its creator's mask; a file-size limit must be met as an error and not as SIGXFSZ.
	sigset_t all;
	sigset_t before;
	::sigfillset(&all);
	::pthread_sigmask(SIG_SETMASK, &all, &before);
	_thread = std::thread([this] { run(); });
	::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void JournalFile::event(std::string_view issuer, const issuer_event& event)
{
	if (event.kind == ISSUER_EVENT_RENEWAL || event.kind == ISSUER_EVENT_STATE) {
		add(jsonLine(issuer, event));
	}
}

void JournalFile::log(
	std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text)
{
	if (level >= ISSUER_LOG_INFO && component != "events") { // which repeats what events say
		add(jsonLine(unixMsNow(), issuer, level, component, text));
	}
}

void JournalFile::notice(const Notice& notice)
{
	add(jsonLine(unixMsNow(), notice));
}

void JournalFile::close()
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

void JournalFile::add(std::string line)
{
	line += '\n';
	{
		const std::lock_guard lock(_mutex);
		if (_closing) {
			return;
		}
		if (_lines.size() >= _patience.capacity) {
			++_dropped;
			return;
		}
		_lines.push_back(std::move(line));
	}
	_changed.notify_one();
}

void JournalFile::run()
{
	std::unique_lock lock(_mutex);
	for (;;) {
		_changed.wait(lock, [this] { return _closing || !_lines.empty(); });
		if (_lines.empty()) {
			return;
		}
		const bool last = _closing;
		const std::size_t count = _lines.size();
		const std::uint64_t dropped = _dropped;
		std::string batch;
		for (const std::string& line : _lines) {
			batch += line;
		}
		if (dropped > 0) {
			batch +=
				JsonObject().add("type", "journal").add("unix_ms", unixMsNow()).add("dropped", dropped).text() + '\n';
		}
		lock.unlock();
		const bool written = write(batch);
		lock.lock();
		if (written) {
			_lines.erase(_lines.begin(), _lines.begin() + static_cast<std::ptrdiff_t>(count));
			_dropped -= dropped;
		}
		else if (last) {
			return;
		}
		else {
			_changed.wait_for(lock, _patience.retry, [this] { return _closing; });
		}
	}
}

bool JournalFile::write(const std::string& batch)
{
	const Result<void> written = _file.append(batch);
	if (!written && !_failing) {
		_complain(written.error().text + "; its lines are kept for a while and tried again");
	}
	if (written && _failing) {
		_complain("the journal is written again");
	}
	_failing = !written;
	return written.has_value();
}

} // namespace issuer::observe
