#pragma once

#include <csignal>

namespace issuer::vault::runtime {

/// Makes threads that the current one starts block all signals but those of their own faults, while it lives: signals
/// are for the host's own threads.
class SignalsBlocked
{
public:
	SignalsBlocked() noexcept
	{
		sigset_t mask;
		::sigfillset(&mask);
		for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
			::sigdelset(&mask, fault);
		}
		::pthread_sigmask(SIG_SETMASK, &mask, &_before);
	}
	~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &_before, nullptr); }
	SignalsBlocked(const SignalsBlocked&) = delete;
	SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
	sigset_t _before{};
};

} // namespace issuer::vault::runtime
