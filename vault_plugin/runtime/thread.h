#pragma once

#include <functional>
#include <pthread.h>

namespace issuer::vault::runtime {

/// A thread as a plugin may have it inside somebody else's process: all signals blocked but those a fault of its own
/// raises, a small stack, and a name to be found by.
class Thread
{
public:
	Thread() noexcept = default;
	/// `name`: at most 15 characters. `main` must not throw. Throws std::system_error.
	Thread(const char* name, std::function<void()> main);
	Thread(Thread&& other) noexcept;
	Thread& operator=(Thread&& other) noexcept; ///< joins the one it was before
	~Thread();                                  ///< joins

	[[nodiscard]] bool isCurrent() const noexcept;
	/// Waits for its end; does nothing if there is none, or if it is the current one, which is left to itself.
	void join() noexcept;

private:
	pthread_t _thread{};
	bool _joinable = false;
};

} // namespace issuer::vault::runtime
