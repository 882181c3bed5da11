#include "runtime/event_loop.h"

#include "runtime/system_call.h"

#include <array>
#include <sys/epoll.h>
#include <system_error>

namespace issuer::vault::runtime {

namespace {

void add(const Descriptor& poll, int fd, void* tag)
{
	epoll_event event{};
	event.events = EPOLLIN;
	event.data.ptr = tag;
	if (::epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
		throw std::system_error(errno, std::generic_category(), "epoll_ctl");
	}
}

} // namespace

EventLoop::EventLoop(const char* name)
	: _poll(descriptorFrom(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")), _closing(makeEvent())
{
	add(_poll, _closing.get(), nullptr);
	_thread = Thread(name, [this] { run(); });
}

EventLoop::~EventLoop()
{
	close();
}

void EventLoop::watch(int fd, Handler& handler)
{
	add(_poll, fd, &handler);
}

void EventLoop::close() noexcept
{
	raise(_closing);
	_thread.join();
}

void EventLoop::run() noexcept
{
	std::array<epoll_event, 4> events{};
	for (;;) {
		const int count = ::epoll_wait(_poll.get(), events.data(), static_cast<int>(events.size()), -1);
		for (int i = 0; i < count; ++i) {
			auto* handler = static_cast<Handler*>(events[static_cast<std::size_t>(i)].data.ptr);
			if (handler == nullptr) {
				return;
			}
			handler->readable();
		}
	}
}

} // namespace issuer::vault::runtime
