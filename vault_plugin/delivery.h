#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace issuer::vault {

/// Something that a helper is to do for an owner who may leave before. [thread-safe]
class Delivery
{
public:
	explicit Delivery(std::function<void()> act) : _act(std::move(act)) {}

	/// By the helper, once. Does nothing if the owner has left.
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

	/// The owner is about to leave. True: the act does not run and will not. False: it still runs.
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
