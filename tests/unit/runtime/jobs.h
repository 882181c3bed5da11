#pragma once

#include "runtime/job.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <poll.h>
#include <utility>

namespace issuer::vault::runtime::test {

/// Longer than anything takes on the slowest machine; only a test that fails waits for it.
constexpr auto patience = std::chrono::seconds(60);

/// A number that many threads may raise and one waits for.
class Counter
{
public:
	void raise()
	{
		const std::lock_guard lock(_mutex);
		++_value;
		_raised.notify_all();
	}
	[[nodiscard]] int value() const
	{
		const std::lock_guard lock(_mutex);
		return _value;
	}
	[[nodiscard]] bool reaches(int value) const
	{
		std::unique_lock lock(_mutex);
		return _raised.wait_for(lock, patience, [&] { return _value >= value; });
	}

private:
	mutable std::mutex _mutex;
	mutable std::condition_variable _raised;
	int _value = 0;
};

/// Calls a function.
class Task final : public Job
{
public:
	explicit Task(std::function<void(int cancelFd)> run, const void* lane = nullptr) : _run(std::move(run)), _lane(lane)
	{
	}
	explicit Task(Counter& runs, const void* lane = nullptr) : Task([&runs](int) { runs.raise(); }, lane) {}

	void run(int cancelFd) noexcept override { _run(cancelFd); }
	[[nodiscard]] const void* lane() const noexcept override { return _lane; }

private:
	std::function<void(int)> _run;
	const void* _lane;
};

/// Waits as a request to a dead server does: for ever, or until it is cancelled.
inline void hang(int cancelFd)
{
	pollfd cancel{cancelFd, POLLIN, 0};
	while (::poll(&cancel, 1, -1) < 0) {
	}
}

} // namespace issuer::vault::runtime::test
