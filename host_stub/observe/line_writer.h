#pragma once

#include "observe/spool.h"

#include <string>
#include <string_view>

namespace issuer::observe {

/// Writes lines to a file descriptor from a thread of its own, so that a full pipe never delays a renewal.
/// When the reader falls behind by more than `capacity` lines the newest are dropped; what cannot be written, as on a
/// full disk, is lost. The first line that comes through after that says how many.
class LineWriter
{
public:
	/// `fd` is borrowed.
	explicit LineWriter(int fd, std::size_t capacity = 100'000);

	/// `line` without its line end. Returns at once. [thread-safe]
	void write(std::string line) { _lines.add(std::move(line)); }

	/// Writes what was accepted, and gives up when the reader takes nothing for a second. Later lines are dropped.
	void close() { _lines.close(); }

private:
	bool writeAll(const std::deque<std::string>& lines, std::uint64_t dropped);
	bool writeAll(std::string_view bytes);

	const int _fd;
	std::uint64_t _lost = 0;   ///< lines that could not be written; of the thread alone
	Spool<std::string> _lines; ///< the first to go: its thread uses the other
};

} // namespace issuer::observe
