#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace issuer::observe {

/// Tells the service manager how its service is; see sd_notify(3) for the words.
class Service
{
public:
	using Notify = std::function<void(const std::string& state)>;

	/// What is to be said in between: how things are, in one line, and what is stuck, if anything is.
	struct Condition
	{
		std::string status;
		std::string stalled; ///< empty: work that is due gets done
	};

	/// The manager of this process, null if it was not started by one ($NOTIFY_SOCKET); and how often it wants a sign
	/// of life.
	[[nodiscard]] static Notify manager();
	[[nodiscard]] static std::optional<std::chrono::microseconds> watchdog();

	/// Without `notify` nothing happens, ever. `condition` is asked from a thread of this object's, and may be slow: an
	/// answer that does not come is no sign of life. `onStall` hears of each stall once.
	Service(Notify notify, std::optional<std::chrono::microseconds> watchdog, std::function<Condition()> condition,
		std::function<void(const std::string&)> onStall);
	~Service();
	Service(const Service&) = delete;
	Service& operator=(const Service&) = delete;

	/// After stopping() the others say nothing: a reload may still be under way then, and end. [thread-safe]
	void ready();
	void reloading();
	void stopping();

private:
	void tell(const std::string& state) const;
	void tellUnlessStopping(const std::string& state) const;
	void run();
	void report();

	const Notify _notify;
	const std::chrono::microseconds _pause;
	const std::function<Condition()> _condition;
	const std::function<void(const std::string&)> _onStall;
	bool _watched;
	bool _stalled = false; ///< of the thread alone, as is:
	std::string _lastStatus;
	std::mutex _mutex;
	std::condition_variable _changed;
	bool _ready = false;
	bool _stopping = false;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe
