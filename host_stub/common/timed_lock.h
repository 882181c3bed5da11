#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace issuer {

/// A mutex that can be waited for until a deadline, for std::unique_lock. Used in place of std::timed_mutex, because
/// the thread sanitizer of GCC 12 does not know the function that calls, pthread_mutex_clocklock.
class TimedLock
{
public:
	void lock()
	{
		std::unique_lock lock(_mutex);
		_changed.wait(lock, [this] { return !_taken; });
		_taken = true;
	}
	bool try_lock_until(std::chrono::steady_clock::time_point deadline)
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_until(lock, deadline, [this] { return !_taken; }) && (_taken = true);
	}
	void unlock()
	{
		const std::lock_guard lock(_mutex);
		_taken = false;
		_changed.notify_one();
	}

private:
	std::mutex _mutex;
	std::condition_variable _changed;
	bool _taken = false;
};

} // namespace issuer
