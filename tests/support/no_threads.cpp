#include "no_threads.h"

#include <atomic>
#include <cerrno>
#include <dlfcn.h>
#include <pthread.h>

namespace issuer::test {

namespace {

std::atomic<bool> refusing = false;
std::atomic<int> refusals = 0;

} // namespace

NoThreads::NoThreads()
{
	refusals = 0;
	refusing = true;
}

NoThreads::~NoThreads()
{
	refusing = false;
}

int NoThreads::refused() const
{
	return refusals;
}

} // namespace issuer::test

/// Stands before the C library's: a program's own function is found first, also by the C++ library.
extern "C" int pthread_create(
	pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept
{
	static const auto create = reinterpret_cast<decltype(&::pthread_create)>(::dlsym(RTLD_NEXT, "pthread_create"));
	if (issuer::test::refusing) {
		++issuer::test::refusals;
		return EAGAIN;
	}
	return create(thread, attributes, run, argument);
}
