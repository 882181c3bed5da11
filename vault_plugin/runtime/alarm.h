#pragma once

#include "base/descriptor.h"
#include "base/time.h"

namespace issuer::vault::runtime {

/// Makes its descriptor readable when a point in time has come. An interface so that virtual time can ring it.
class Alarm
{
public:
	virtual ~Alarm() = default;

	/// Returns the descriptor: readable from the time set on, until it is set anew.
	[[nodiscard]] virtual int fd() const noexcept = 0;
	/// Sets the time, instead of any before; rings at once if it has passed. Returns false if the system refuses: then
	/// it may never ring. [thread-safe]
	[[nodiscard]] virtual bool set(Instant at) noexcept = 0;
};

/// A timerfd on CLOCK_BOOTTIME: a time that passed while the machine was suspended rings as it wakes up. (No condition
/// variable can do that: pthread_cond_clockwait refuses this clock.)
class SystemAlarm final : public Alarm
{
public:
	SystemAlarm(); ///< throws std::system_error

	[[nodiscard]] int fd() const noexcept override { return _timer.get(); }
	[[nodiscard]] bool set(Instant at) noexcept override;

private:
	Descriptor _timer;
};

} // namespace issuer::vault::runtime
