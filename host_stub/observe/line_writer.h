#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace issuer::observe {

/// Writes lines to a file descriptor from a thread of its own, so that a full pipe never delays a renewal.
/// When the reader falls behind by more than `capacity` lines the newest are dropped, and a line says how many.
class LineWriter
{
public:
	/// `fd` is borrowed. The thread blocks all signals.
	explicit LineWriter(int fd, std::size_t capacity = 10'000);
	~LineWriter() { close(); }
	LineWriter(const LineWriter&) = delete;
	LineWriter& operator=(const LineWriter&) = delete;

	/// `line` without its line end. Returns at once. [thread-safe]
	void write(std::string line);

	/// Writes what was accepted, and gives up when the reader takes nothing for a second. Later lines are dropped.
	void close();

private:
	void run();
	bool writeAll(std::string_view bytes);

	const int _fd;
	const std::size_t _capacity;
	std::mutex _mutex;
	std::condition_variable _changed;
	std::deque<std::string> _lines;
	std::uint64_t _dropped = 0;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe
