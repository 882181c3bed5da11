#pragma once

#include <csignal>

namespace issuer {

/// While it lives, no signal reaches this thread. A thread inherits its creator's mask: one that is begun meanwhile
/// leaves all signals to the main thread, and meets a closed pipe and a file's limit as errors.
class SignalsBlocked
{
public:
	SignalsBlocked()
	{
		sigset_t all;
		::sigfillset(&all);
		::pthread_sigmask(SIG_SETMASK, &all, &_before);
	}
	~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &_before, nullptr); }
	SignalsBlocked(const SignalsBlocked&) = delete;
	SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
	sigset_t _before{};
};

} // namespace issuer
