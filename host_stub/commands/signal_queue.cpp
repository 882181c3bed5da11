#include "commands/signal_queue.h"

#include "commands/exit_codes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <issuer/kit/signals_blocked.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace issuer::commands {

namespace {

Descriptor checked(int fd, const char* what)
{
	if (fd < 0) {
		throw std::system_error(errno, std::generic_category(), what);
	}
	return Descriptor(fd);
}

/// Returns the next signal's number, 0 if none has come.
std::uint32_t nextSignal(int signals)
{
	signalfd_siginfo signal{};
	return ::read(signals, &signal, sizeof signal) == sizeof signal ? signal.ssi_signo : 0;
}

/// Prints to stderr, unless that would block, and ends the process.
[[noreturn]] void endAtOnce(std::string_view why)
{
	pollfd writable{STDERR_FILENO, POLLOUT, 0};
	if (::poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0) {
		static_cast<void>(!::write(STDERR_FILENO, why.data(), why.size()));
	}
	std::_Exit(exitSoftware);
}

} // namespace

SignalQueue::SignalQueue()
{
	sigset_t wanted;
	::sigemptyset(&wanted);
	for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
		::sigaddset(&wanted, signal);
	}
	::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
	std::signal(SIGPIPE, SIG_IGN);
	_signals = checked(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

HostSignal SignalQueue::wait()
{
	for (;;) {
		pollfd event{_signals.get(), POLLIN, 0};
		::poll(&event, 1, -1);
		if (const std::uint32_t signal = nextSignal(_signals.get()); signal != 0) {
			return signal == SIGHUP ? HostSignal::reload : HostSignal::stop;
		}
	}
}

LastResort::LastResort(const SignalQueue& signals)
	: _armed(checked(::eventfd(0, EFD_CLOEXEC), "eventfd")), _ended(checked(::eventfd(0, EFD_CLOEXEC), "eventfd"))
{
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this, signals = signals.descriptor()] { run(signals); });
}

LastResort::~LastResort()
{
	::eventfd_write(_ended.get(), 1);
	::eventfd_write(_armed.get(), 1);
	_thread.join();
}

void LastResort::arm(std::chrono::milliseconds limit)
{
	_limit = limit;
	::eventfd_write(_armed.get(), 1);
}

void LastResort::run(int signals) const
{
	using Clock = std::chrono::steady_clock;
	eventfd_t ignored = 0;
	::eventfd_read(_armed.get(), &ignored);
	const Clock::time_point deadline = Clock::now() + _limit;
	for (;;) {
		std::array<pollfd, 2> events{{{_ended.get(), POLLIN, 0}, {signals, POLLIN, 0}}};
		const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
		::poll(events.data(), events.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
		if (events[0].revents != 0) {
			return;
		}
		const std::uint32_t signal = nextSignal(signals);
		if (signal == SIGINT || signal == SIGTERM) {
			endAtOnce("issuer-host: told to end a second time, ends at once\n");
		}
		if (Clock::now() >= deadline) {
			endAtOnce(std::string("issuer-host: ") + _why.load() + " within stop_timeout, ends all the same\n");
		}
	}
}

} // namespace issuer::commands
