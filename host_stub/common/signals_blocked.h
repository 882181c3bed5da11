#pragma once

#include <csignal>

namespace issuer {

/// Blocks all signals for this thread while it lives. A thread inherits its creator's mask: one that is started
/// meanwhile leaves signals to the main thread, and sees a closed pipe and a file's size limit as errors.
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
