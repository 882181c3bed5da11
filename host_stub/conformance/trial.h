#pragma once

#include "conformance/driver.h"

#include <condition_variable>
#include <mutex>

namespace issuer::conformance {

/// One instance with its host and recorder, destroyed in the right order.
struct Trial
{
	explicit Trial(const Subject& subject) : library(subject), instance(library, subject, host) {}

	/// Starts it and waits for its first event: by then its threads exist, and its files are open.
	void run()
	{
		instance.record(&recorder);
		instance.start();
		recorder.awaitMoreThan(0);
	}

	Library library;
	CapturingHost host;
	Recorder recorder;
	CheckedInstance instance;
};

/// Blocks callbacks until it is released. [thread-safe]
class Hold
{
public:
	/// Blocks. Called in the callback.
	void block()
	{
		std::unique_lock lock(_mutex);
		++_entered;
		_changed.notify_all();
		_changed.wait(lock, [&] { return _released; });
	}

	/// Waits until so many callbacks are blocked, and returns how many are.
	[[nodiscard]] unsigned await(unsigned wanted)
	{
		std::unique_lock lock(_mutex);
		_changed.wait_for(lock, patience, [&] { return _entered >= wanted; });
		return _entered;
	}

	/// Releases them for good: later callbacks are not blocked.
	void release()
	{
		const std::lock_guard lock(_mutex);
		_released = true;
		_changed.notify_all();
	}

private:
	std::mutex _mutex;
	std::condition_variable _changed;
	unsigned _entered = 0;
	bool _released = false;
};

} // namespace issuer::conformance
