#include "registry/calls.h"

#include "common/signals_blocked.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace issuer::registry {

using namespace std::chrono_literals;

struct Calls::State
{
	std::mutex mutex; ///< of all that follows
	std::condition_variable changed;
	std::deque<std::function<void()>> waiting;
	std::size_t idle = 0; ///< threads that wait for a call
	bool closing = false;

	/// A thread's life.
	static void serve(const std::shared_ptr<State>& state)
	{
		constexpr auto longestIdle = 1s;
		std::unique_lock lock(state->mutex);
		for (;;) {
			++state->idle;
			state->changed.wait_for(lock, longestIdle, [&] { return !state->waiting.empty() || state->closing; });
			--state->idle;
			if (state->waiting.empty()) {
				return;
			}
			std::function<void()> call = std::move(state->waiting.front());
			state->waiting.pop_front();
			lock.unlock();
			call();
			call = nullptr; // what it holds may die here, and not under the lock
			lock.lock();
		}
	}
};

Calls::Calls() : _state(std::make_shared<State>()) {}

std::shared_ptr<Calls> Calls::make()
{
	return std::shared_ptr<Calls>(new Calls); // its constructor is private
}

Calls::~Calls()
{
	const std::lock_guard lock(_state->mutex);
	_state->closing = true;
	_state->changed.notify_all();
}

void Calls::post(std::function<void()> call)
{
	{
		const std::lock_guard lock(_state->mutex);
		_state->waiting.push_back(std::move(call));
		if (_state->idle >= _state->waiting.size()) {
			_state->changed.notify_one();
			return;
		}
	}
	const SignalsBlocked blocked;
	try {
		std::thread([state = _state] { State::serve(state); }).detach();
	}
	catch (const std::system_error&) {
		std::unique_lock lock(_state->mutex);
		if (_state->waiting.empty()) {
			return; // another has taken it
		}
		std::function<void()> oldest = std::move(_state->waiting.front());
		_state->waiting.pop_front();
		lock.unlock();
		oldest();
	}
}

bool Calls::run(std::function<void()> call, Clock::time_point deadline)
{
	struct Wait
	{
		std::mutex mutex;
		std::condition_variable changed;
		bool returned = false;
		std::shared_ptr<Calls> leftWith; ///< nobody waits any more
	};
	const auto wait = std::make_shared<Wait>();
	post([wait, call = std::move(call)]() mutable {
		call();
		call = nullptr; // what it holds is gone before anybody goes on
		const std::lock_guard lock(wait->mutex);
		wait->returned = true;
		wait->changed.notify_all();
		if (wait->leftWith != nullptr) {
			wait->leftWith->returned();
		}
	});
	std::unique_lock lock(wait->mutex);
	if (wait->changed.wait_until(lock, deadline, [&] { return wait->returned; })) {
		return true;
	}
	wait->leftWith = shared_from_this();
	left();
	return false;
}

} // namespace issuer::registry
