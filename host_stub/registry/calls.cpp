#include "registry/calls.h"

#include <algorithm>
#include <deque>
#include <issuer/kit/signals_blocked.h>
#include <system_error>
#include <thread>

namespace issuer::registry {

using namespace std::chrono_literals;

namespace {

/// A call that takes longer may never return.
constexpr std::chrono::milliseconds quick{1};

} // namespace

struct Calls::State
{
	std::mutex mutex; ///< guards all below
	std::condition_variable changed;
	std::deque<std::function<void()>> waiting;
	std::size_t idle = 0;          ///< number of threads that wait for a call
	std::size_t serving = 0;       ///< number of the other threads
	Clock::time_point latestBegin; ///< time at which a call was last begun
	bool closing = false;

	/// Returns whether a serving thread will take the next call soon, as far as can be told.
	[[nodiscard]] bool isMoving() const { return serving > 0 && Clock::now() < latestBegin + quick; }

	std::function<void()> next()
	{
		std::function<void()> call = std::move(waiting.front());
		waiting.pop_front();
		latestBegin = Clock::now();
		return call;
	}

	/// The main function of a thread.
	static void serve(const std::shared_ptr<State>& state)
	{
		constexpr auto longestIdle = 1s;
		std::unique_lock lock(state->mutex);
		for (;;) {
			++state->idle;
			--state->serving;
			state->changed.wait_for(lock, longestIdle, [&] { return !state->waiting.empty() || state->closing; });
			--state->idle;
			if (state->waiting.empty()) {
				return;
			}
			++state->serving;
			std::function<void()> call = state->next();
			lock.unlock();
			call();
			call = nullptr; // destroyed without the lock: its captures may have destructors of the plugin
			lock.lock();
		}
	}
};

Calls::Calls() : _state(std::make_shared<State>()) {}

std::shared_ptr<Calls> Calls::make()
{
	return std::shared_ptr<Calls>(new Calls); // no make_shared: the constructor is private
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
		if (_state->isMoving()) {
			return; // the serving thread takes this call, too
		}
	}
	wakeOrSpawn();
}

/// Wakes a thread, or creates one.
void Calls::wakeOrSpawn()
{
	{
		const std::lock_guard lock(_state->mutex);
		if (_state->idle == 0) {
			++_state->serving;
		}
		else {
			_state->changed.notify_one();
			return;
		}
	}
	const kit::SignalsBlocked blocked;
	try {
		std::thread([state = _state] { State::serve(state); }).detach();
	}
	catch (const std::system_error&) {
		std::unique_lock lock(_state->mutex);
		--_state->serving;
		if (_state->waiting.empty()) {
			return; // another thread has taken it
		}
		const std::function<void()> oldest = _state->next();
		lock.unlock();
		oldest();
	}
}

/// Has the posted calls taken by another thread if one is stuck. Returns false once every posted call has begun.
bool Calls::keepMoving()
{
	{
		const std::lock_guard lock(_state->mutex);
		if (_state->waiting.empty()) {
			return false;
		}
		if (_state->isMoving()) {
			return true;
		}
	}
	wakeOrSpawn();
	return true;
}

bool Calls::await(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, Clock::time_point deadline,
	const std::function<bool()>& over)
{
	for (bool mayWait = true; mayWait;) {
		const Clock::time_point look = Clock::now() + quick;
		if (changed.wait_until(lock, std::min(look, deadline), over)) {
			return true;
		}
		lock.unlock();
		mayWait = keepMoving();
		lock.lock();
		if (look >= deadline) {
			return over();
		}
	}
	return changed.wait_until(lock, deadline, over);
}

bool Calls::run(std::function<void()> call, Clock::time_point deadline)
{
	struct Wait
	{
		std::mutex mutex;
		std::condition_variable changed;
		bool returned = false;
		std::shared_ptr<Calls> leftWith; ///< not null: its caller waits no more
	};
	const auto wait = std::make_shared<Wait>();
	post([wait, call = std::move(call)]() mutable {
		call();
		call = nullptr; // its captures are destroyed before the caller continues
		std::unique_lock lock(wait->mutex);
		wait->returned = true;
		const std::shared_ptr<Calls> left = std::move(wait->leftWith);
		lock.unlock();
		wait->changed.notify_all(); // without the lock: the woken thread would only wait for it
		if (left != nullptr) {
			left->returned();
		}
	});
	std::unique_lock lock(wait->mutex);
	if (await(lock, wait->changed, deadline, [&] { return wait->returned; })) {
		return true;
	}
	wait->leftWith = shared_from_this();
	left();
	return false;
}

} // namespace issuer::registry
