#include "commands/wake_ups.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

namespace issuer::commands {

WakeUps::WakeUps()
{
	sigset_t wanted;
	::sigemptyset(&wanted);
	for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
		::sigaddset(&wanted, signal);
	}
	::pthread_sigmask(SIG_BLOCK, &wanted, nullptr);
	std::signal(SIGPIPE, SIG_IGN);
	_signals = ::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	_nothingLeft = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (_signals < 0 || _nothingLeft < 0) {
		throw std::system_error(errno, std::generic_category(), "signalfd");
	}
}

WakeUps::~WakeUps()
{
	::close(_signals);
	::close(_nothingLeft);
}

WakeUp WakeUps::wait()
{
	for (;;) {
		std::array<pollfd, 2> events{{{_signals, POLLIN, 0}, {_nothingLeft, POLLIN, 0}}};
		::poll(events.data(), events.size(), -1);
		signalfd_siginfo signal{};
		if (::read(_signals, &signal, sizeof signal) == sizeof signal) {
			return signal.ssi_signo == SIGHUP ? WakeUp::reload : WakeUp::stop;
		}
		eventfd_t count = 0;
		if (::eventfd_read(_nothingLeft, &count) == 0) {
			return WakeUp::nothingLeft;
		}
	}
}

void WakeUps::announceNothingLeft()
{
	::eventfd_write(_nothingLeft, 1);
}

} // namespace issuer::commands
