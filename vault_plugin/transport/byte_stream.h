#pragma once

#include "base/descriptor.h"

#include <Poco/Net/StreamSocketImpl.h>

namespace issuer::vault::transport {

/// A connected socket that never blocks: what cannot be done now gives -1. Poco's TLS layer, put on it, does not block
/// either, and tells what it waits for.
class ByteStream final : public Poco::Net::StreamSocketImpl
{
public:
	explicit ByteStream(Descriptor connected);

	using StreamSocketImpl::receiveBytes;
	using StreamSocketImpl::sendBytes;
	int receiveBytes(void* buffer, int length, int flags) override;
	int sendBytes(const void* buffer, int length, int flags) override;

	/// Nothing to read and not closed: fit for another request. An idle connection on which bytes wait is not: either
	/// the peer has closed it, or it talks out of turn.
	[[nodiscard]] bool isQuiet() const noexcept;

private:
	~ByteStream() override = default; ///< counted by Poco
};

} // namespace issuer::vault::transport
