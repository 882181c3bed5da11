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
/// when one has not returned after a millisecond another thread continues with the rest: so the many that return at
/// once cost little. Threads are created for the calls and end when they have been idle for a second; all signals are
/// blocked in them. Where the system gives no thread, a call is made on the caller's, which then cannot leave it.
/// [thread-safe]
class Calls : public std::enable_shared_from_this<Calls>
{
public:
	using Clock = std::chrono::steady_clock;

	[[nodiscard]] static std::shared_ptr<Calls> make();
	/// Does not wait: a call under way continues, and its thread ends with it.
	~Calls();
	Calls(const Calls&) = delete;
	Calls& operator=(const Calls&) = delete;

	/// Makes `call`, which must not throw, on a thread. Returns at once. The caller then has to wait with await().
	void post(std::function<void()> call);

	/// Waits until `over`, which is evaluated under `lock` when `changed` is notified. Returns false at `deadline`.
	/// Meanwhile it makes sure that posted calls are not held up by one that does not return.
	[[nodiscard]] bool await(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
		Clock::time_point deadline, const std::function<bool()>& over);

	/// Makes `call` and waits for it. Returns false if it has not returned by `deadline`: then it continues alone, so
	/// it may use only objects that it owns.
	[[nodiscard]] bool run(std::function<void()> call, Clock::time_point deadline);

	/// Counts a call that was left behind; returned() uncounts it. run() counts its own.
	void left() { ++_left; }
	void returned() { --_left; }
	/// Returns the number of calls under way that no caller waits for.
	[[nodiscard]] std::size_t leftBehind() const { return _left; }

private:
	struct State;

	Calls();
	void wakeOrSpawn();
	[[nodiscard]] bool keepMoving();

	std::shared_ptr<State> _state;
	std::atomic<std::size_t> _left = 0;
};

} // namespace issuer::registry
