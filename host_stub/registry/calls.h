#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace issuer::registry {

/// Makes calls that may never return, each on a thread that can be left behind. Threads come with the calls and end
/// when they have been idle for a second; all signals are blocked in them. Where the system gives no thread, a call is
/// made on the caller's: without one there is no way to leave it. [thread-safe]
class Calls : public std::enable_shared_from_this<Calls>
{
public:
	using Clock = std::chrono::steady_clock;

	[[nodiscard]] static std::shared_ptr<Calls> make();
	/// Waits for nothing: a call that is out goes on, and its thread ends with it.
	~Calls();
	Calls(const Calls&) = delete;
	Calls& operator=(const Calls&) = delete;

	/// Has `call` made, which must not throw. Returns at once.
	void post(std::function<void()> call);

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

	std::shared_ptr<State> _state;
	std::atomic<std::size_t> _left = 0;
};

} // namespace issuer::registry
