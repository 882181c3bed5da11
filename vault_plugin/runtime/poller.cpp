#include "runtime/poller.h"

#include "runtime/system_call.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <sys/timerfd.h>
#include <system_error>

namespace issuer::vault::runtime {

namespace {

// poll() and epoll have the same numbers for events.
static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT);

void add(const Descriptor& epoll, int fd, std::uint32_t events, Poller::Tag tag)
{
	epoll_event event{};
	event.events = events;
	event.data.u64 = tag;
	if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
		throw std::system_error(errno, std::generic_category(), "epoll_ctl");
	}
}

} // namespace

Poller::Poller()
	: _epoll(descriptorFrom(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), _call(makeEvent()),
	  _timer(descriptorFrom(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")),
	  _closed(makeEvent())
{
	watch(_call.get(), called);
	watch(_timer.get(), calledLater);
	add(_epoll, _closed.get(), EPOLLIN, closed);
}

void Poller::watch(int fd, Tag tag)
{
	add(_epoll, fd, EPOLLIN | EPOLLET, tag);
}

bool Poller::expect(int fd, short events, Tag tag) noexcept
{
	epoll_event event{};
	event.events = static_cast<std::uint32_t>(events) | EPOLLONESHOT;
	event.data.u64 = tag;
	// EPOLL_CTL_MOD first: the descriptor of a kept connection is still registered from its last wait.
	return ::epoll_ctl(_epoll.get(), EPOLL_CTL_MOD, fd, &event) == 0 ||
		   (errno == ENOENT && ::epoll_ctl(_epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

bool Poller::isReady(int fd, short events) noexcept
{
	pollfd one{fd, events, 0};
	return ::poll(&one, 1, 0) > 0;
}

void Poller::call() noexcept
{
	raise(_call); // a new event each time, even if the last one has not been read
}

bool Poller::callLater(Duration time) noexcept
{
	using namespace std::chrono;
	const auto whole = duration_cast<seconds>(time);
	itimerspec spec{};
	spec.it_value.tv_sec = whole.count();
	spec.it_value.tv_nsec = nanoseconds(time - whole).count();
	return ::timerfd_settime(_timer.get(), 0, &spec, nullptr) == 0;
}

void Poller::close() noexcept
{
	raise(_closed);
}

std::span<const epoll_event> Poller::wait(Room& room, std::optional<Duration> atMost) noexcept
{
	using Milliseconds = std::chrono::milliseconds;
	int milliseconds = -1;
	if (atMost) {
		constexpr Duration longest = Milliseconds(std::numeric_limits<int>::max());
		milliseconds = static_cast<int>(std::chrono::ceil<Milliseconds>(std::min(*atMost, longest)).count());
	}
	const int count = ::epoll_wait(_epoll.get(), room.data(), static_cast<int>(room.size()), milliseconds);
	if (count < 0 && errno != EINTR) {
		// The host has closed the descriptor, as programs do that close all they do not know. A pause keeps this from
		// spinning.
		constexpr int pause = 50;
		::poll(nullptr, 0, milliseconds < 0 ? pause : std::min(milliseconds, pause));
	}
	return std::span(room).first(static_cast<std::size_t>(std::max(count, 0)));
}

} // namespace issuer::vault::runtime
