#pragma once

#include "base/wiped.h"
#include "transport/byte_stream.h"
#include "transport/exchange.h"
#include "transport/settings.h"
#include "transport/tls_stream.h"

#include <Poco/AutoPtr.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// The bytes of one connection to `address`, plain or over TLS. Errors are values that name `peer`. Raises no SIGPIPE.
/// Not thread-safe.
class Connection
{
public:
	/// `peer` is what messages call the other end: an address as the operator wrote it.
	Connection(Descriptor connected, Address address, std::string peer);
	~Connection();

	/// Speaks TLS from here on, with the server that `host` names unless `setup` has a name of its own: handshake and
	/// verification have succeeded when it returns. Both references are borrowed until then.
	[[nodiscard]] Task<Expected<void, ExchangeError>> startTls(
		const TlsSetup& setup, const std::string& host, Deadline deadline);

	/// Some of `bytes`: how many.
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> send(std::string_view bytes, Deadline deadline);

	/// At least one byte into `room`; 0: the peer has closed, over TLS with a proper goodbye.
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> receive(std::span<char> room, Deadline deadline);

	/// Room for replies, kept from one to the next. Whoever takes it may lose it.
	[[nodiscard]] WipedString takeBuffer() noexcept { return std::move(_buffer); }
	void keepBuffer(WipedString buffer) noexcept { _buffer = std::move(buffer); }

	/// Takes as little memory as can be until the next request.
	void rest() noexcept
	{
		if (_tls) {
			_tls->rest();
		}
	}

	/// Whether an idle connection can carry another request.
	[[nodiscard]] bool isQuiet() const noexcept { return _stream->isQuiet(); }

	[[nodiscard]] const Address& address() const noexcept { return _address; }
	/// TlsSetup::generation of the setup it was made with; 0: plain.
	[[nodiscard]] unsigned generation() const noexcept { return _generation; }

private:
	using Step = TlsStream::Step;

	[[nodiscard]] Expected<Step, TlsStream::Trouble> sendSome(std::string_view bytes);
	[[nodiscard]] Expected<Step, TlsStream::Trouble> receiveSome(std::span<char> room);
	template <class Do>
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> perform(
		const char* doing, Step first, Deadline deadline, Do action);

	Address _address;
	std::string _peer;
	unsigned _generation = 0;
	WipedString _buffer;
	Poco::AutoPtr<ByteStream> _stream;
	std::unique_ptr<TlsStream> _tls; ///< over _stream, and goes first; null: plain
};

} // namespace issuer::vault::transport
