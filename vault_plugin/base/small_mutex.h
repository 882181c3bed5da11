#pragma once

#include <atomic>

namespace issuer::vault {

/// A mutex of one byte where std::mutex takes forty: for objects of which each issuer has one. Waits in the kernel, as
/// std::mutex does. For std::lock_guard and std::unique_lock; with std::condition_variable_any.
class SmallMutex
{
public:
	void lock() noexcept
	{
		while (!try_lock()) {
			_held.wait(true, std::memory_order_relaxed);
		}
	}
	[[nodiscard]] bool try_lock() noexcept { return !_held.test_and_set(std::memory_order_acquire); }
	void unlock() noexcept
	{
		_held.clear(std::memory_order_release);
		_held.notify_one();
	}

private:
	std::atomic_flag _held = {};
};

} // namespace issuer::vault
