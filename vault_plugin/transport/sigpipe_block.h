#pragma once

#include <csignal>

namespace issuer::vault::transport {

/// Keeps SIGPIPE from the calling thread for the lifetime of this object, and swallows one raised meanwhile.
///
/// OpenSSL writes with write(2), which cannot be told MSG_NOSIGNAL, at the latest its close_notify to a peer that is
/// gone; and the thread may be the host's. A plugin may not touch the process's signal handlers, so the mask it is.
class SigpipeBlock
{
public:
	SigpipeBlock() noexcept;
	~SigpipeBlock();
	SigpipeBlock(const SigpipeBlock&) = delete;
	SigpipeBlock& operator=(const SigpipeBlock&) = delete;

private:
	sigset_t _before;
	bool _wasPending = false;
};

} // namespace issuer::vault::transport
