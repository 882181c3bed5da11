#pragma once

#include "common/spool.h"

#include <string>
#include <string_view>

namespace issuer::observe {

/// Writes lines to a file descriptor from a thread of its own, so that a full pipe never delays a renewal. When the
/// reader falls behind by more than `capacity` lines the newest are dropped; a line that cannot be written, as on a
/// full disk, is lost. The first line that is written after that says how many.
class LineWriter
{
public:
	/// `fd` is borrowed.
	explicit LineWriter(int fd, std::size_t capacity = 100'000);

	/// Takes `line`, which has no line end. Returns at once. [thread-safe]
	void write(std::string line) { _lines.add(std::move(line)); }

	/// Writes the accepted lines, and gives up when the reader takes nothing for a second. Later lines are dropped.
	void close() { _lines.close(); }

private:
	bool writeAll(const std::deque<std::string>& lines, std::uint64_t dropped);
	bool writeAll(std::string_view bytes);

	const int _fd;
	std::uint64_t _lost = 0;   ///< number of lines that could not be written; used by the writer's thread only
	Spool<std::string> _lines; ///< destroyed first: its thread uses the other member
};

} // namespace issuer::observe
