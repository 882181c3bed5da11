#pragma once

#include <chrono>
#include <mutex>

namespace issuer::test {

/// The time a server reads: wall clock, to the nanosecond, as it stands in the replies of a real one.
using ServerTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

/// The source of the fake Vault's time. [thread-safe]
class ServerClock
{
public:
	virtual ~ServerClock() = default;
	[[nodiscard]] virtual ServerTime now() const = 0;
};

/// The wall clock at construction, running on steadily from there: a clock step must not end a test's lease.
class RealClock final : public ServerClock
{
public:
	[[nodiscard]] ServerTime now() const override { return _wall + (std::chrono::steady_clock::now() - _steady); }

private:
	ServerTime _wall = std::chrono::system_clock::now();
	std::chrono::steady_clock::time_point _steady = std::chrono::steady_clock::now();
};

/// A clock that stands still until a test moves it: a lease of an hour ends in no time.
class TestClock final : public ServerClock
{
public:
	/// The default begins on a whole second, so that whole-second rounding surprises no test that does not ask for it.
	explicit TestClock(ServerTime start = ServerTime(std::chrono::seconds(1'800'000'000))) : _now(start) {}

	[[nodiscard]] ServerTime now() const override
	{
		const std::lock_guard lock(_mutex);
		return _now;
	}

	void advance(std::chrono::nanoseconds by)
	{
		const std::lock_guard lock(_mutex);
		_now += by;
	}

	void set(ServerTime to)
	{
		const std::lock_guard lock(_mutex);
		_now = to;
	}

private:
	mutable std::mutex _mutex;
	ServerTime _now;
};

} // namespace issuer::test
