#pragma once

#include <atomic>

/// Lets one allocation of the program fail. The program's own operator new (failing_allocations.cpp) asks it.
namespace issuer::test {

class FailingAllocations
{
public:
	/// Makes the `nth` allocation from now on fail, on any thread.
	static void failAt(int nth) noexcept { left = nth; }

	/// None does from here on. Whether it has.
	static bool stop() noexcept { return left.exchange(0) < 0; }

	/// For operator new.
	static bool failsNow() noexcept { return exempt == 0 && left > 0 && left.fetch_sub(1) == 1 && (left = -1) < 0; }

	/// While it lives, this thread's allocations do not count: they are the test's own.
	class Exempt
	{
	public:
		Exempt() noexcept { ++exempt; }
		~Exempt() { --exempt; }
		Exempt(const Exempt&) = delete;
		Exempt& operator=(const Exempt&) = delete;
	};

private:
	static inline std::atomic<int> left = 0; ///< until the one that fails; -1: it has
	static inline thread_local int exempt = 0;
};

} // namespace issuer::test
