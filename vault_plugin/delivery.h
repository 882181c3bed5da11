#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace issuer::vault {

/// Work that a helper does for an owner that may leave before it is done. [thread-safe]
class Delivery
{
public:
	explicit Delivery(std::function<void()> act) : _act(std::move(act)) {}

	/// Does the work. Called once, by the helper. Does nothing if the owner has left.
	void run()
	{
		{
			const std::lock_guard lock(_mutex);
			if (_left) {
				return;
			}
			_running = true;
		}
		_act();
		const std::lock_guard lock(_mutex);
		_running = false;
		_left = true;
		_ended.notify_all();
	}

	/// Lets the owner leave. Returns true if the work is not running and will not; false if it still runs after
	/// `timeout`.
	[[nodiscard]] bool leave(std::chrono::milliseconds timeout)
	{
		std::unique_lock lock(_mutex);
		_left = true;
		return _ended.wait_for(lock, timeout, [this] { return !_running; });
	}

private:
	std::function<void()> _act; ///< throws nothing
	std::mutex _mutex;
	std::condition_variable _ended;
	bool _running = false;
	bool _left = false;
};

} // namespace issuer::vault
