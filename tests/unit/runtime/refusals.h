#pragma once

#include <cstdint>

/// System calls that fail on demand. Needs refusals.cpp in the test's own program: a program's own function is found
/// before the C library's.
namespace issuer::vault::runtime::test {

/// While it lives, one system call fails in the whole process.
class RefusedCalls
{
public:
	enum class Call : std::uint8_t
	{
		epollCtl,       ///< ENOSPC, as at the limit of /proc/sys/fs/epoll/max_user_watches; only adding and changing
		epollWait,      ///< EBADF
		timerfdSettime, ///< ENOMEM
	};

	explicit RefusedCalls(Call call);
	~RefusedCalls();
	RefusedCalls(const RefusedCalls&) = delete;
	RefusedCalls& operator=(const RefusedCalls&) = delete;

	/// Returns how often the call was refused.
	[[nodiscard]] int count() const;

private:
	const Call _call;
};

/// While it lives, one allocation of the process, the one of that number (from 1), throws std::bad_alloc.
class FailingAllocation
{
public:
	explicit FailingAllocation(int number);
	~FailingAllocation();
	FailingAllocation(const FailingAllocation&) = delete;
	FailingAllocation& operator=(const FailingAllocation&) = delete;

	/// Returns whether it has failed yet.
	[[nodiscard]] bool happened() const;
};

} // namespace issuer::vault::runtime::test
