#pragma once

#include "base/time.h"

#include <functional>
#include <memory>
#include <string>

namespace issuer::vault::runtime {

/// Runs work that may block for as long as it likes (name servers, file systems) on threads that can be left behind.
///
/// At most `most` helpers run work beside those that are stuck, which is: longer than `stuckAfter` in one piece of
/// work; at most `mostEver` in all. A key whose latest work was stuck is slow, until a piece of its work takes less.
/// Slow keys take at most half (`slowShare`) of `most`, and of `mostEver`: the other half is for keys that answer.
///
/// A helper blocks all signals but those that a fault of its own raises, has a stack of the default size, and keeps
/// this library mapped until it has ended. One without work ends after `linger`.
class Helpers
{
public:
	struct Options
	{
		unsigned most = 8;
		unsigned mostEver = 64;
		Duration stuckAfter = std::chrono::seconds(1);
		Duration linger = std::chrono::milliseconds(100);
		Duration grace = std::chrono::milliseconds(10);
		unsigned slowShare = 2; ///< divisor: slow keys take at most 1/slowShare of `most` and of `mostEver`
	};

	Helpers();
	explicit Helpers(Options options);
	/// Drops queued work. Joins the helpers that are free, or finish within `grace`; the others end by themselves,
	/// possibly after the process has begun to exit. In a child after fork, which has none, it does nothing.
	~Helpers();
	Helpers(const Helpers&) = delete;
	Helpers& operator=(const Helpers&) = delete;

	/// Has `work` run once on some helper. `key` names the thing that may block it: a host, a file. An exception from
	/// `work` is swallowed, so `work` reports its own failure; it must not touch objects that may be destroyed before
	/// it ends. Returns false if no thread can be had and none exists: the work was not taken. Throws std::bad_alloc
	/// with nothing taken. [thread-safe]
	[[nodiscard]] bool submit(std::string key, std::function<void()> work);

	/// Returns the number of helper threads. For tests and measurements.
	[[nodiscard]] unsigned threads() const;

private:
	struct Crew;
	std::shared_ptr<Crew> _crew; ///< shared with the helpers, which may outlive this object
};

} // namespace issuer::vault::runtime
