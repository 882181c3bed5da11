#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace issuer::registry {

/// Runs tasks that may block for long, such as a start that waits for its server, each on a thread of its own up to
/// `limit` at once. Threads come with the work and go with it. [thread-safe]
class Workers
{
public:
	using Task = std::function<void()>; ///< must not throw

	explicit Workers(std::size_t limit = 64) : _limit(limit) {}
	/// Drops delayed tasks, runs the others to their end.
	~Workers();
	Workers(const Workers&) = delete;
	Workers& operator=(const Workers&) = delete;

	void post(Task task);
	void postAfter(std::chrono::milliseconds delay, Task task);

private:
	using Clock = std::chrono::steady_clock;

	void run();
	void employ();
	void joinFinished(std::unique_lock<std::mutex>& lock);

	const std::size_t _limit;
	std::mutex _mutex;
	std::condition_variable _changed;
	std::deque<Task> _ready;
	std::multimap<Clock::time_point, Task> _delayed;
	bool _closing = false;
	std::size_t _idle = 0;
	std::map<std::thread::id, std::thread> _threads;
	std::vector<std::thread> _finished; ///< to be joined
};

} // namespace issuer::registry
