#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace issuer::observe {

/// Reports to the service manager; see sd_notify(3) for the words.
class Service
{
public:
	using Notify = std::function<void(const std::string& state)>;

	/// The condition of the host, for reports between start and stop: a status line, and the stall, if there is one.
	struct Condition
	{
		std::string status;
		std::string stalled; ///< empty: due work is being done
	};

	/// Returns the manager of this process, null if it was not started by one ($NOTIFY_SOCKET); and the watchdog's
	/// interval.
	[[nodiscard]] static Notify manager();
	[[nodiscard]] static std::optional<std::chrono::microseconds> watchdog();

	/// A null `notify` makes every call do nothing. `condition` is called on a thread of this object's, and may be
	/// slow: a call that does not return keeps the watchdog unanswered. `onStall` is called once for each stall.
	Service(Notify notify, std::optional<std::chrono::microseconds> watchdog, std::function<Condition()> condition,
		std::function<void(const std::string&)> onStall);
	~Service();
	Service(const Service&) = delete;
	Service& operator=(const Service&) = delete;

	/// After stopping() the other calls do nothing: a reload may still be under way then, and end. [thread-safe]
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
	bool _stalled = false; ///< used by that thread only, as is the next
	std::string _lastStatus;
	std::mutex _mutex;
	std::condition_variable _changed;
	bool _ready = false;
	bool _stopping = false;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe
