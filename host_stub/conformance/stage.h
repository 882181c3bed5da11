#pragma once

#include "conformance/driver.h"

#include <condition_variable>
#include <mutex>

namespace issuer::conformance {

/// All that one instance needs, and its end in the right order.
struct Stage
{
	explicit Stage(const Subject& subject) : library(subject), instance(library, subject, ears) {}

	/// Starts it and waits for its first event: its threads are there, and so is what it has opened.
	void run()
	{
		instance.record(&recorder);
		instance.start();
		recorder.awaitMoreThan(0);
	}

	Library library;
	HostEars ears;
	Recorder recorder;
	Instance instance;
};

/// Holds callbacks up until it is released. [thread-safe]
class Hold
{
public:
	/// In the callback.
	void block()
	{
		std::unique_lock lock(_mutex);
		++_entered;
		_changed.notify_all();
		_changed.wait(lock, [&] { return _released; });
	}

	/// Waits for so many callbacks to be held up, and returns how many are.
	[[nodiscard]] unsigned await(unsigned wanted)
	{
		std::unique_lock lock(_mutex);
		_changed.wait_for(lock, patience, [&] { return _entered >= wanted; });
		return _entered;
	}

	/// For ever: what comes later is not held up.
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
