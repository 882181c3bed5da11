#pragma once

#include "base/descriptor.h"
#include "base/time.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <sys/epoll.h>

namespace issuer::vault::runtime {

/// An epoll instance: threads wait here for descriptors and for calls. Each event wakes one thread, the one that came
/// last, whose caches are warm; so those that came first become idle and exit. Edge-triggered. [thread-safe]
class Poller
{
public:
	/// Identifies the source of an event.
	using Tag = std::uint64_t;
	static constexpr Tag called = 0;      ///< of call()
	static constexpr Tag calledLater = 1; ///< of callLater()
	static constexpr Tag firstFree = 2;
	static constexpr Tag closed = ~Tag{0}; ///< of close()

	Poller(); ///< throws std::system_error

	/// Reports each time that `fd` becomes readable. Throws std::system_error.
	void watch(int fd, Tag tag);
	/// Reports once that `fd` is ready for `events` (as poll() has them), or at once if it is. Replaces the events
	/// registered for it before. Returns false if the system refuses.
	[[nodiscard]] bool expect(int fd, short events, Tag tag) noexcept;
	/// Returns at once whether `fd` is ready for `events`, or is no descriptor.
	[[nodiscard]] static bool isReady(int fd, short events) noexcept;

	/// Wakes one thread. Calls that no thread has seen yet count as one.
	void call() noexcept;
	/// Wakes one thread when `time`, not zero, has passed on CLOCK_MONOTONIC. Returns false if the system refuses.
	[[nodiscard]] bool callLater(Duration time) noexcept;
	/// Wakes all threads, and every thread that waits from now on.
	void close() noexcept;

	using Room = std::array<epoll_event, 16>;
	/// Blocks until there is an event, `atMost` at longest (none: for ever). Returns the events, in `room`; none if the
	/// time has passed or, after 50 ms or `atMost`, if the system refuses to wait.
	[[nodiscard]] std::span<const epoll_event> wait(Room& room, std::optional<Duration> atMost) noexcept;

private:
	Descriptor _epoll;
	Descriptor _call;
	Descriptor _timer;
	Descriptor _closed;
};

} // namespace issuer::vault::runtime
