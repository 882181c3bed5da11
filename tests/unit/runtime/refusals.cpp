#include "refusals.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <new>
#include <sys/epoll.h>
#include <sys/timerfd.h>

namespace issuer::vault::runtime::test {

namespace {

struct Switch
{
	std::atomic<bool> on = false;
	std::atomic<int> count = 0;
};

std::array<Switch, 3> switches;
std::atomic<int> allocationsLeft = 0; ///< until one fails; 0: none does

Switch& switchOf(RefusedCalls::Call call)
{
	return switches.at(static_cast<std::size_t>(call));
}

bool refuses(RefusedCalls::Call call)
{
	Switch& one = switchOf(call);
	if (one.on) {
		++one.count;
	}
	return one.on;
}

void* allocate(std::size_t size)
{
	if (allocationsLeft > 0 && --allocationsLeft == 0) {
		return nullptr;
	}
	return std::malloc(size > 0 ? size : 1);
}

template <class Function>
Function next(const char* name)
{
	return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

} // namespace

RefusedCalls::RefusedCalls(Call call) : _call(call)
{
	switchOf(call).count = 0;
	switchOf(call).on = true;
}

RefusedCalls::~RefusedCalls()
{
	switchOf(_call).on = false;
}

int RefusedCalls::count() const
{
	return switchOf(_call).count;
}

FailingAllocation::FailingAllocation(int number)
{
	allocationsLeft = number;
}

FailingAllocation::~FailingAllocation()
{
	allocationsLeft = 0;
}

bool FailingAllocation::happened() const
{
	return allocationsLeft <= 0;
}

} // namespace issuer::vault::runtime::test

using issuer::vault::runtime::test::RefusedCalls;

extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept
{
	static const auto real = issuer::vault::runtime::test::next<decltype(&::epoll_ctl)>("epoll_ctl");
	if (issuer::vault::runtime::test::refuses(RefusedCalls::Call::epollCtl)) {
		errno = ENOSPC;
		return -1;
	}
	return real(epoll, operation, fd, event);
}

extern "C" int epoll_wait(int epoll, epoll_event* events, int size, int timeout)
{
	static const auto real = issuer::vault::runtime::test::next<decltype(&::epoll_wait)>("epoll_wait");
	if (issuer::vault::runtime::test::refuses(RefusedCalls::Call::epollWait)) {
		errno = EBADF;
		return -1;
	}
	return real(epoll, events, size, timeout);
}

extern "C" int timerfd_settime(int timer, int flags, const itimerspec* time, itimerspec* before) noexcept
{
	static const auto real = issuer::vault::runtime::test::next<decltype(&::timerfd_settime)>("timerfd_settime");
	if (issuer::vault::runtime::test::refuses(RefusedCalls::Call::timerfdSettime)) {
		errno = ENOMEM;
		return -1;
	}
	return real(timer, flags, time, before);
}

void* operator new(std::size_t size)
{
	void* const memory = issuer::vault::runtime::test::allocate(size);
	if (memory == nullptr) {
		throw std::bad_alloc();
	}
	return memory;
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
	return issuer::vault::runtime::test::allocate(size);
}

void operator delete(void* memory) noexcept
{
	std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept
{
	std::free(memory);
}
