#include "observe/journal/line_writer.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <unistd.h>

namespace issuer::observe {

namespace {

/// Milliseconds between two checks of a writer that waits for its reader whether it should give up.
constexpr int patienceMs = 1000;

} // namespace

LineWriter::LineWriter(int fd, std::size_t capacity)
	: _fd(fd), _lines({capacity}, [this](const auto& lines, std::uint64_t dropped) { return writeAll(lines, dropped); })
{
}

bool LineWriter::writeAll(const std::deque<std::string>& lines, std::uint64_t dropped)
{
	std::string batch;
	for (const std::string& line : lines) {
		batch += line;
		batch += '\n';
	}
	if (_lost > 0) {
		batch.insert(0, "(" + std::to_string(_lost) + " lines were lost: they could not be written)\n");
	}
	if (dropped > 0) {
		batch += "(" + std::to_string(dropped) + " lines were dropped: the reader of this log is too slow)\n";
	}
	const bool written = writeAll(batch);
	_lost = written ? 0 : _lost + lines.size() + dropped;
	return written;
}

bool LineWriter::writeAll(std::string_view bytes)
{
	while (!bytes.empty()) {
		pollfd writable{_fd, POLLOUT, 0};
		if (::poll(&writable, 1, patienceMs) == 0) {
			if (_lines.closing()) {
				return false;
			}
			continue;
		}
		// At most PIPE_BUF bytes, which a writable pipe takes at once: a larger write would block, poll or not.
		const ssize_t count = ::write(_fd, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
		if (count < 0 && errno != EINTR && errno != EAGAIN) {
			return false; // the reader is gone; the host goes on without its lines
		}
		bytes.remove_prefix(count > 0 ? static_cast<std::size_t>(count) : 0);
	}
	return true;
}

} // namespace issuer::observe
