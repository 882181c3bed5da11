#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace issuer::registry {

/// Makes calls that may never return, on threads that can be left behind. A thread makes one call after the other, and
/// when one has not returned after a millisecond another thread goes on with the rest: so the many that return at once
/// cost little. Threads come with the calls and end when they have been idle for a second; all signals are blocked in
/// them. Where the system gives no thread, a call is made on the caller's: without one there is no way to leave it.
/// [thread-safe]
class Calls : public std::enable_shared_from_this<Calls>
{
public:
	using Clock = std::chrono::steady_clock;

	[[nodiscard]] static std::shared_ptr<Calls> make();
	/// Waits for nothing: a call that is out goes on, and its thread ends with it.
	~Calls();
	Calls(const Calls&) = delete;
	Calls& operator=(const Calls&) = delete;

	/// Has `call` made, which must not throw. Returns at once. Whoever posts has to wait with await().
	void post(std::function<void()> call);

	/// Waits until `over`, which is asked under `lock` when `changed` is notified, or `deadline`: false then. Meanwhile
	/// it sees to it that what was posted is not held up by a call that does not return.
	[[nodiscard]] bool await(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
		Clock::time_point deadline, const std::function<bool()>& over);

	/// Has `call` made and waits for it. False: it has not returned by `deadline` and goes on alone, so it may use
	/// nothing that does not belong to it.
	[[nodiscard]] bool run(std::function<void()> call, Clock::time_point deadline);

	/// A call was left behind by whoever waited for it; it has returned. run() counts its own.
	void left() { ++_left; }
	void returned() { --_left; }
	/// How many are out that nobody waits for.
	[[nodiscard]] std::size_t leftBehind() const { return _left; }

private:
	struct State;

	Calls();
	void employ();
	[[nodiscard]] bool keepMoving();

	std::shared_ptr<State> _state;
	std::atomic<std::size_t> _left = 0;
};

} // namespace issuer::registry
