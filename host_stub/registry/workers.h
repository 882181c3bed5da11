#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace issuer::registry {

/// Runs tasks that may block for long, such as a start that waits for its server, each on a thread of its own up to
/// `limit` at once. A task that has run for `stuckAfter` is not counted any more, so that those that wait for long, or
/// for ever, hold up no other; there are 1024 threads at most. Threads are created and end with the work, but for one
/// that exists from the beginning: the system may refuse another when it is needed, and then tasks wait their turn.
/// [thread-safe]
class Workers
{
public:
	using Task = std::function<void()>; ///< must not throw

	/// `complain` is called once when the system refuses a thread, and once when it gives one again. It must not block,
	/// nor post.
	using Complain = std::function<void(const std::string&)>;

	using Duration = std::chrono::milliseconds;
	static constexpr Duration never{0}; ///< value of `stuckAfter`: tasks count as long as they run

	explicit Workers(
		std::size_t limit = 64, Complain complain = [](const std::string&) {}, Duration stuckAfter = never);
	/// Drops delayed tasks, and runs the others to their end.
	~Workers();
	Workers(const Workers&) = delete;
	Workers& operator=(const Workers&) = delete;

	void post(Task task);
	void postAfter(std::chrono::milliseconds delay, Task task);

private:
	using Clock = std::chrono::steady_clock;

	void run();
	void await(std::unique_lock<std::mutex>& lock, std::optional<Clock::time_point> until);
	[[nodiscard]] std::optional<Clock::time_point> fullUntil() const;
	void wakeOrSpawn();
	void hire();
	Task next();
	void carryOut(Task task, std::unique_lock<std::mutex>& lock);
	void joinFinished(std::unique_lock<std::mutex>& lock);

	const std::size_t _limit;
	const Complain _complain;
	const Duration _stuckAfter;
	std::mutex _mutex;
	std::condition_variable _changed;
	std::deque<Task> _ready;
	std::multimap<Clock::time_point, Task> _delayed;
	bool _closing = false;
	bool _short = false;   ///< the system refused the last thread that was asked for
	std::size_t _idle = 0; ///< number of threads that wait for work, or are about to look for it
	std::map<std::thread::id, std::thread> _threads;
	std::multiset<Clock::time_point> _running; ///< times at which the running tasks began
	std::vector<std::thread> _finished;        ///< to be joined
};

} // namespace issuer::registry
