#pragma once

#include "common/descriptor.h"

#include <atomic>
#include <chrono>
#include <thread>

namespace issuer::commands {

/// The events that the main thread waits for.
enum class HostSignal
{
	stop,   ///< SIGINT or SIGTERM
	reload, ///< SIGHUP
};

/// The signals of the process as a queue to wait on. One object, made before any thread is, so that all threads inherit
/// the blocked signals. SIGPIPE is ignored: a log whose reader has gone is no reason to end.
class SignalQueue
{
public:
	SignalQueue();
	SignalQueue(const SignalQueue&) = delete;
	SignalQueue& operator=(const SignalQueue&) = delete;

	/// Blocks. [control-thread]
	[[nodiscard]] HostSignal wait();

	[[nodiscard]] int descriptor() const { return _signals.get(); }

private:
	Descriptor _signals;
};

/// Ends the process, with exitSoftware and without any clean-up, when its orderly end does not come: at a deadline, or
/// at a second signal to stop. Its thread is created at once, while the system still has one to give.
class LastResort
{
public:
	/// `signals` must outlive it, and is not waited on any more once arm() was called.
	explicit LastResort(const SignalQueue& signals);
	/// Disarms it: the orderly end has come.
	~LastResort();
	LastResort(const LastResort&) = delete;
	LastResort& operator=(const LastResort&) = delete;

	void arm(std::chrono::milliseconds limit);

	/// Says what the end waits for from now on, for the line that tells that it is cut short: "an issuer does not
	/// stop". `why` is a literal.
	void awaiting(const char* why) { _why = why; }

private:
	void run(int signals) const;

	Descriptor _armed;
	Descriptor _ended;
	std::atomic<const char*> _why = "something does not stop";
	std::chrono::milliseconds _limit{}; ///< written before _armed is
	std::thread _thread;
};

} // namespace issuer::commands
