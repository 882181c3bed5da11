#pragma once

#include <functional>
#include <pthread.h>

namespace issuer::vault::runtime {

/// A thread fit for another program's process: it blocks all signals but those that its own faults raise, has the
/// process's default stack size, at least 1.25 MiB, and a name.
class Thread
{
public:
	Thread() noexcept = default;
	/// `name`: at most 15 characters. `main` must not throw. Throws std::system_error.
	Thread(const char* name, std::function<void()> main);
	Thread(Thread&& other) noexcept;
	Thread& operator=(Thread&& other) noexcept; ///< joins the thread that it held before
	~Thread();                                  ///< joins

	[[nodiscard]] bool isCurrent() const noexcept;
	/// Blocks until the thread has ended. Does nothing if there is none; detaches it if it is the current one.
	void join() noexcept;

private:
	pthread_t _thread{};
	bool _joinable = false;
};

} // namespace issuer::vault::runtime
