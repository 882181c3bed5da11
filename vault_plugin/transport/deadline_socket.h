#pragma once

#include "base/descriptor.h"
#include "transport/wait.h"

#include <Poco/Net/StreamSocketImpl.h>

namespace issuer::vault::transport {

/// A connected non-blocking socket whose every wait also ends at the deadline and at the cancellation of the exchange
/// in progress, where Poco's own waits know a timeout per read only.
///
/// It calls itself blocking towards Poco, so that Poco's TLS layer waits through poll() here when OpenSSL wants more
/// bytes; the waits of both, plain and TLS, are therefore ours. A wait that ends early throws Poco::TimeoutException;
/// wake() tells which end it was. Not thread-safe: one exchange at a time.
class DeadlineSocket final : public Poco::Net::StreamSocketImpl
{
public:
	/// Takes over `connected`, which is non-blocking.
	explicit DeadlineSocket(Descriptor connected);

	/// The limits of the exchange that uses the socket from now on.
	void limitTo(const Limits& limits);
	[[nodiscard]] const Limits& limits() const noexcept { return _limits; }

	/// How the last wait ended.
	[[nodiscard]] Wake wake() const noexcept { return _wake; }

	/// Nothing to read and not closed: fit for another request. An idle connection on which bytes wait is not: either
	/// the peer has closed it, or it talks out of turn.
	[[nodiscard]] bool isQuiet() const noexcept;

	bool poll(const Poco::Timespan& timeout, int mode) override;
	using StreamSocketImpl::receiveBytes;
	using StreamSocketImpl::sendBytes;
	int receiveBytes(void* buffer, int length, int flags) override;
	int sendBytes(const void* buffer, int length, int flags) override;

	/// Poco's TLS layer asks before each wait; the answer has no meaning here and needs no system call.
	Poco::Timespan getReceiveTimeout() override { return {}; }
	Poco::Timespan getSendTimeout() override { return {}; }

private:
	~DeadlineSocket() override = default;

	Limits _limits;
	Wake _wake = Wake::ready;
};

} // namespace issuer::vault::transport
