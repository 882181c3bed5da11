#pragma once

#include "runtime/alarm.h"
#include "runtime/clock.h"
#include "runtime/system_call.h"

#include <cstdint>
#include <mutex>
#include <unistd.h>

namespace issuer::vault::runtime::test {

/// Time that stands still until a test moves it on, and an alarm that rings by it.
class VirtualTime final : public Clock, public Alarm
{
public:
	[[nodiscard]] Moment now() const override
	{
		const std::lock_guard lock(_mutex);
		return {_now, WallTime(_now.time_since_epoch())};
	}
	[[nodiscard]] Instant in(Duration time) const { return now().boot + time; }

	void advance(Duration time)
	{
		const std::lock_guard lock(_mutex);
		_now += time;
		ringIfDue();
	}

	[[nodiscard]] int fd() const noexcept override { return _event.get(); }
	[[nodiscard]] bool set(Instant at) noexcept override
	{
		const std::lock_guard lock(_mutex);
		if (_broken) {
			return false;
		}
		_at = at;
		++_sets;
		std::uint64_t rung = 0;
		[[maybe_unused]] const auto got = ::read(_event.get(), &rung, sizeof rung);
		ringIfDue();
		return true;
	}
	/// From now on the alarm can not be set, or can again.
	void breaks(bool broken)
	{
		const std::lock_guard lock(_mutex);
		_broken = broken;
	}
	/// Returns the time that the alarm is set to; Instant::max() if it has rung since.
	[[nodiscard]] Instant alarm() const
	{
		const std::lock_guard lock(_mutex);
		return _at;
	}

	[[nodiscard]] int sets() const
	{
		const std::lock_guard lock(_mutex);
		return _sets;
	}

private:
	void ringIfDue() noexcept
	{
		if (_at <= _now) {
			_at = Instant::max();
			raise(_event);
		}
	}

	mutable std::mutex _mutex;
	Instant _now{std::chrono::hours(1)};
	Instant _at = Instant::max();
	int _sets = 0;
	bool _broken = false;
	Descriptor _event = makeEvent();
};

} // namespace issuer::vault::runtime::test
