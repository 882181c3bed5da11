/// A guard for the creation of threads that are to get no signal.
#pragma once

#include <csignal>

namespace issuer::kit {

/// Blocks all signals for the calling thread while it lives. A thread inherits its creator's mask: one that is created
/// meanwhile leaves signals to the host's own threads, and sees a closed pipe and a file's size limit as errors.
class SignalsBlocked
{
public:
	SignalsBlocked() noexcept
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

} // namespace issuer::kit
