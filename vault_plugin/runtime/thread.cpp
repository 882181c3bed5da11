#include "runtime/thread.h"

#include "runtime/signals_blocked.h"

#include <memory>
#include <system_error>
#include <utility>

namespace issuer::vault::runtime {

namespace {

/// Least stack size in bytes; otherwise it is the process's default. Callbacks of the host run on this stack, and
/// CONTRACT.md promises them 1 MiB. Only the part that is touched takes memory.
constexpr std::size_t leastStack = std::size_t{1280} * 1024;

struct Start
{
	const char* name;
	std::function<void()> main;
};

void* enter(void* argument)
{
	const std::unique_ptr<Start> start(static_cast<Start*>(argument));
	::pthread_setname_np(::pthread_self(), start->name);
	start->main();
	return nullptr;
}

class Attributes
{
public:
	Attributes() noexcept
	{
		::pthread_attr_init(&_attributes);
		std::size_t size = 0;
		if (::pthread_attr_getstacksize(&_attributes, &size) != 0 || size < leastStack) {
			::pthread_attr_setstacksize(&_attributes, leastStack);
		}
	}
	~Attributes() { ::pthread_attr_destroy(&_attributes); }
	Attributes(const Attributes&) = delete;
	Attributes& operator=(const Attributes&) = delete;

	[[nodiscard]] const pthread_attr_t* get() const noexcept { return &_attributes; }

private:
	pthread_attr_t _attributes{};
};

} // namespace

Thread::Thread(const char* name, std::function<void()> main)
{
	auto start = std::make_unique<Start>(Start{name, std::move(main)});
	const Attributes attributes;
	const SignalsBlocked inherited;
	if (const int error = ::pthread_create(&_thread, attributes.get(), enter, start.get()); error != 0) {
		throw std::system_error(error, std::generic_category(), name);
	}
	static_cast<void>(start.release()); // the new thread's enter() owns the start now
	_joinable = true;
}

Thread::Thread(Thread&& other) noexcept : _thread(other._thread), _joinable(std::exchange(other._joinable, false)) {}

Thread& Thread::operator=(Thread&& other) noexcept
{
	join();
	_thread = other._thread;
	_joinable = std::exchange(other._joinable, false);
	return *this;
}

Thread::~Thread()
{
	join();
}

bool Thread::isCurrent() const noexcept
{
	return _joinable && ::pthread_equal(_thread, ::pthread_self()) != 0;
}

void Thread::join() noexcept
{
	if (!_joinable) {
		return;
	}
	if (isCurrent()) {
		::pthread_detach(_thread);
	}
	else {
		::pthread_join(_thread, nullptr); // until it has ended, the thread may still ask isCurrent()
	}
	_joinable = false;
}

} // namespace issuer::vault::runtime
