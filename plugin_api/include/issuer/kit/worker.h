/// A thread for an instance whose work is a loop: start, stop and isRunning of a plugin, as the contract wants them.
#pragma once

#include <issuer/kit/answer.h>
#include <issuer/kit/host_callbacks.h>
#include <issuer/kit/signals_blocked.h>

#include <chrono>
#include <condition_variable>
#include <dlfcn.h>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace issuer::kit {

/// Runs work on a thread of its own until it returns or is stopped. All signals are blocked in that thread, and the
/// library stays mapped while it runs, also under a host that unloads it without a stop.
///
///     Answer start() { return _worker.start([this](std::stop_token stop) { keepAlive(stop); }); }
///     Answer stop(std::chrono::milliseconds timeout) { return _worker.stop(timeout); }
///     bool isRunning() const { return _worker.isRunning(); }
///
/// Keep it as the last member, so that it ends before all that the work uses.
class Worker
{
public:
	using Clock = std::chrono::steady_clock;

	/// `host` is told of an exception that the work did not catch, and which ended it.
	explicit Worker(HostCallbacks& host) noexcept : _host(host) {}
	/// Ends the work, however long that takes. An instance that runs is not destroyed, so there is none as a rule.
	~Worker()
	{
		_thread.request_stop();
		const std::lock_guard lock(_mutex);
		_changed.notify_all();
	}
	Worker(const Worker&) = delete;
	Worker& operator=(const Worker&) = delete;

	/// Begins the work, unless it is already running. `work` returns soon after a stop is requested: it waits with
	/// waitUntil(), and cuts short what else it waits for in a std::stop_callback.
	/// Errors: ISSUER_E_STATE after a stop that has timed out; ISSUER_E_NOMEM where the system gives no thread.
	Answer start(std::function<void(std::stop_token)> work)
	{
		const std::lock_guard lock(_mutex);
		if (_isStopping) {
			return {ISSUER_E_STATE, "still stopping: call stop again"};
		}
		if (_thread.joinable() && !_hasEnded) {
			return {};
		}
		_hasEnded = false;
		_isAwake = false;
		_isReady = false;
		_wasStopped = false;
		_library = std::make_unique<Pin>();
		try {
			const SignalsBlocked inTheThreadToo;
			_thread = std::jthread([this, doWork = std::move(work)](std::stop_token stop) { run(doWork, stop); });
		}
		catch (const std::system_error& error) {
			return {ISSUER_E_NOMEM, std::string("the system gives no thread: ") + error.what()};
		}
		return {};
	}

	/// Blocks start() of the plugin until the work says ready(), ends, or `limit` has passed; the work goes on.
	/// ISSUER_E_CANCELLED: a stop came meanwhile.
	Answer awaitReady(std::chrono::milliseconds limit)
	{
		std::unique_lock lock(_mutex);
		_changed.wait_for(lock, limit, [this] { return _isReady || _hasEnded || _wasStopped; });
		if (!_isReady && _wasStopped) {
			return {ISSUER_E_CANCELLED, "stopped while start was waiting"};
		}
		return {};
	}

	/// Says that start() needs to wait no longer. Called by the work.
	void ready()
	{
		const std::lock_guard lock(_mutex);
		_isReady = true;
		_changed.notify_all();
	}

	/// Requests a stop and waits until the work has returned. ISSUER_E_TIMEOUT: it has not yet; call again.
	Answer stop(std::chrono::milliseconds timeout)
	{
		std::unique_lock lock(_mutex);
		if (!_thread.joinable()) {
			return {};
		}
		_isStopping = true;
		_wasStopped = true;
		_changed.notify_all();
		lock.unlock();
		_thread.request_stop(); // without the lock: it calls what the work has registered
		lock.lock();
		_changed.notify_all();
		if (!_changed.wait_for(lock, timeout, [this] { return _hasEnded; })) {
			return {ISSUER_E_TIMEOUT, "still stopping: call stop again"};
		}
		_thread.join(); // at once: it has nothing left to do
		_library.reset();
		_isStopping = false;
		return {};
	}

	/// Returns whether there is work that a stop would have to end. [thread-safe]
	[[nodiscard]] bool isRunning() const
	{
		const std::lock_guard lock(_mutex);
		return _thread.joinable() && (!_hasEnded || _isStopping);
	}

	/// Blocks the work until `time`, a wakeUp() or a stop; returns false when a stop is requested.
	[[nodiscard]] bool waitUntil(Clock::time_point time, const std::stop_token& stop)
	{
		std::unique_lock lock(_mutex);
		_changed.wait_until(lock, time, [&] { return _isAwake || stop.stop_requested(); });
		_isAwake = false;
		return !stop.stop_requested();
	}

	/// Ends the present waitUntil(), or else the next. [thread-safe]
	void wakeUp()
	{
		const std::lock_guard lock(_mutex);
		_isAwake = true;
		_changed.notify_all();
	}

private:
	/// Keeps the library that this code is in mapped. Released by a call of the host's, which has it mapped, too.
	class Pin
	{
	public:
		Pin() noexcept
		{
			Dl_info own{};
			if (::dladdr(&anchor, &own) != 0) {
				_handle = ::dlopen(own.dli_fname, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
			}
		}
		~Pin()
		{
			if (_handle != nullptr) {
				::dlclose(_handle);
			}
		}
		Pin(const Pin&) = delete;
		Pin& operator=(const Pin&) = delete;

	private:
		static constexpr char anchor = 0; ///< an address in this library
		void* _handle = nullptr;
	};

	void run(const std::function<void(std::stop_token)>& work, const std::stop_token& stop) noexcept
	{
		try {
			work(stop);
		}
		catch (const std::exception& error) {
			_host.log(ISSUER_LOG_ERROR, "worker", error.what());
		}
		catch (...) {
			_host.log(ISSUER_LOG_ERROR, "worker", "something unknown was thrown: this issuer's work has ended");
		}
		const std::lock_guard lock(_mutex);
		_hasEnded = true;
		_changed.notify_all();
	}

	HostCallbacks& _host;
	mutable std::mutex _mutex; ///< guards all below
	std::condition_variable _changed;
	bool _isStopping = false; ///< a stop has been requested and has not answered ISSUER_OK
	bool _hasEnded = false;   ///< the work has returned
	bool _isAwake = false;
	bool _isReady = false;
	bool _wasStopped = false; ///< since the work began
	std::unique_ptr<Pin> _library;
	std::jthread _thread; ///< the last member: it ends first
};

} // namespace issuer::kit
