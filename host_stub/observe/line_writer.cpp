#include "observe/line_writer.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <unistd.h>

namespace issuer::observe {

namespace {

/// How often a writer that waits for its reader looks whether it should give up.
constexpr int patienceMs = 1000;

} // namespace

LineWriter::LineWriter(int fd, std::size_t capacity) : _fd(fd), _capacity(capacity)
{
	// A thread inherits its creator's mask; the writer must meet a closed pipe as an error and not as SIGPIPE.
	sigset_t all;
	sigset_t before;
	::sigfillset(&all);
	::pthread_sigmask(SIG_SETMASK, &all, &before);
	_thread = std::thread([this] { run(); });
	::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LineWriter::close()
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

void LineWriter::write(std::string line)
{
	line += '\n';
	{
		const std::lock_guard lock(_mutex);
		if (_closing) {
			return;
		}
		if (_lines.size() >= _capacity) {
			++_dropped;
			return;
		}
		_lines.push_back(std::move(line));
	}
	_changed.notify_one();
}

void LineWriter::run()
{
	std::unique_lock lock(_mutex);
	for (;;) {
		_changed.wait(lock, [this] { return _closing || !_lines.empty(); });
		if (_lines.empty()) {
			return;
		}
		std::string batch;
		for (const std::string& line : _lines) {
			batch += line;
		}
		_lines.clear();
		if (_dropped > 0) {
			batch += "(" + std::to_string(_dropped) + " lines were dropped: the reader of this log is too slow)\n";
			_dropped = 0;
		}
		lock.unlock();
		const bool written = writeAll(batch);
		lock.lock();
		if (!written && _closing) {
			return;
		}
	}
}

bool LineWriter::writeAll(std::string_view bytes)
{
	while (!bytes.empty()) {
		pollfd writable{_fd, POLLOUT, 0};
		if (::poll(&writable, 1, patienceMs) == 0) {
			const std::lock_guard lock(_mutex);
			if (_closing) {
				return false;
			}
			continue;
		}
		// No more than a pipe takes at once when it is writable: a larger write would block, poll or not.
		const ssize_t count = ::write(_fd, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
		if (count < 0 && errno != EINTR && errno != EAGAIN) {
			return false; // nobody reads any more; what the host does goes on
		}
		bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
	}
	return true;
}

} // namespace issuer::observe
