#pragma once

#include "base/descriptor.h"

#include <Poco/Net/StreamSocketImpl.h>

namespace issuer::vault::transport {

/// A connected socket that never blocks: a call that would block returns -1.
class ByteStream final : public Poco::Net::StreamSocketImpl
{
public:
	explicit ByteStream(Descriptor connected);

	using StreamSocketImpl::receiveBytes;
	using StreamSocketImpl::sendBytes;
	int receiveBytes(void* buffer, int length, int flags) override;
	int sendBytes(const void* buffer, int length, int flags) override;

	/// Returns whether there is nothing to read and the peer has not closed: fit for another request. An idle
	/// connection on which bytes wait is not fit: either the peer has closed it, or it has sent data out of turn.
	[[nodiscard]] bool isQuiet() const noexcept;

private:
	~ByteStream() override = default; ///< reference-counted by Poco
};

} // namespace issuer::vault::transport
