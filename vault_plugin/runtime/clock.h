#pragma once

#include "base/time.h"

namespace issuer::vault::runtime {

/// Reads both clocks. An interface so that tests can stand in with virtual time. [thread-safe]
class Clock
{
public:
	virtual ~Clock() = default;
	[[nodiscard]] virtual Moment now() const = 0;
	/// Returns now().boot, without reading the other clock.
	[[nodiscard]] virtual Instant boot() const { return now().boot; }
};

/// Reads the machine's clocks: CLOCK_BOOTTIME and CLOCK_REALTIME.
class SystemClock final : public Clock
{
public:
	[[nodiscard]] Moment now() const override;
	[[nodiscard]] Instant boot() const override;
};

} // namespace issuer::vault::runtime
