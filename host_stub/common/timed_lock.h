#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace issuer {

/// A mutex that may be waited for until a deadline, for std::unique_lock. Beside std::timed_mutex because of what that
/// calls, pthread_mutex_clocklock, the thread sanitizer of GCC 12 knows nothing.
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
