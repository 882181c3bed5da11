#pragma once

#include "base/descriptor.h"
#include "base/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/epoll.h>

namespace issuer::vault::runtime {

/// Where threads wait, for descriptors and for being called. Whatever happens wakes one of them, the one that came
/// last, whose caches are warm; so that those who came first can be told to go. (epoll, edge-triggered.) [thread-safe]
class Poller
{
public:
	/// What an event is recognized by.
	using Tag = std::uint64_t;
	static constexpr Tag called = 0;      ///< call()
	static constexpr Tag calledLater = 1; ///< callLater()
	static constexpr Tag firstFree = 2;
	static constexpr Tag closed = ~Tag{0}; ///< close()

	Poller(); ///< throws std::system_error

	/// Each time `fd` becomes readable. Throws std::system_error.
	void watch(int fd, Tag tag);
	/// Once, when `fd` is ready for `events` (as poll() has them), or at once if it is. Instead of what was expected of
	/// it before. False: it cannot be.
	[[nodiscard]] bool expect(int fd, short events, Tag tag) noexcept;

	/// Wakes one. Calls that nobody has answered yet are one.
	void call() noexcept;
	/// Wakes one when `time`, not zero, has passed on this machine's clock.
	void callLater(Duration time) noexcept;
	/// Wakes all, and whoever waits from now on.
	void close() noexcept;

	using Room = std::array<epoll_event, 16>;
	/// Waits. The events that woke it, in `room`; none: time has passed.
	[[nodiscard]] std::span<const epoll_event> wait(Room& room, std::optional<Duration> atMost) noexcept;

private:
	Descriptor _epoll;
	Descriptor _call;
	Descriptor _timer;
	Descriptor _closed;
};

} // namespace issuer::vault::runtime
