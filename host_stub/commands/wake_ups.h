#pragma once

namespace issuer::commands {

/// What the main thread waits for.
enum class WakeUp
{
	stop,        ///< SIGINT or SIGTERM
	reload,      ///< SIGHUP
	nothingLeft, ///< every issuer has been given up
};

/// The signals of the process as a queue to wait on. One object, made before any thread is, so that all threads
/// inherit the blocked signals. SIGPIPE is ignored: a log whose reader has gone is no reason to die.
class WakeUps
{
public:
	WakeUps();
	~WakeUps();
	WakeUps(const WakeUps&) = delete;
	WakeUps& operator=(const WakeUps&) = delete;

	/// Blocks. [control-thread]
	[[nodiscard]] WakeUp wait();

	/// Has wait() return nothingLeft, after signals that have come. [thread-safe]
	void announceNothingLeft();

private:
	int _signals;
	int _nothingLeft;
};

} // namespace issuer::commands
