#pragma once

#include "base/wiped.h"
#include "transport/byte_stream.h"
#include "transport/settings.h"
#include "transport/tls.h"

#include <Poco/AutoPtr.h>

#include <span>
#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// The bytes of one connection to `address`, plain or over TLS. Errors are values that name `peer`. Not thread-safe.
/// Use and destroy where SIGPIPE is blocked.
class Connection
{
public:
	/// `peer` is what messages call the other end: an address as the operator wrote it.
	Connection(Descriptor connected, Address address, std::string peer);
	~Connection();

	/// Speaks TLS from here on: handshake and verification have succeeded when it returns.
	[[nodiscard]] Task<Expected<void, ExchangeError>> startTls(const Tls::Ready& tls, Deadline deadline);

	/// Some of `bytes`: how many.
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> send(std::string_view bytes, Deadline deadline);

	/// At least one byte into `room`; 0: the peer has closed, over TLS with a proper goodbye.
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> receive(std::span<char> room, Deadline deadline);

	/// Room for replies, kept from one to the next. Whoever takes it may lose it.
	[[nodiscard]] WipedString takeBuffer() noexcept { return std::move(_buffer); }
	void keepBuffer(WipedString buffer) noexcept { _buffer = std::move(buffer); }

	/// Whether an idle connection can carry another request.
	[[nodiscard]] bool isQuiet() const noexcept { return _stream->isQuiet(); }

	[[nodiscard]] const Address& address() const noexcept { return _address; }
	/// Of what TLS trusts (Tls::generation()); 0: plain.
	[[nodiscard]] unsigned generation() const noexcept { return _generation; }

private:
	class TlsStream;
	/// What a call on a stream came to: bytes, or, below zero, what it waits for.
	using Count = Expected<int, ExchangeError>;

	template <class Do>
	[[nodiscard]] Count attempt(const char* doing, Do&& action) const;
	template <class Do>
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> perform(
		const char* doing, short usual, bool waitFirst, Deadline deadline, Do action);
	[[nodiscard]] short wanted(int count, short usual) const noexcept;
	[[nodiscard]] Poco::Net::StreamSocketImpl& top();

	Address _address;
	std::string _peer;
	unsigned _generation = 0;
	WipedString _buffer;
	Poco::AutoPtr<ByteStream> _stream;
	Poco::AutoPtr<TlsStream> _tls; ///< over it; null: plain
};

} // namespace issuer::vault::transport
