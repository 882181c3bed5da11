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

/// A connection to `address`, plain or over TLS, that carries bytes. Errors are values that name `peer`. Raises no
/// SIGPIPE. Not thread-safe.
class Connection
{
public:
	/// `peer`: the other end's name in messages, an address as the operator wrote it.
	Connection(Descriptor connected, Address address, std::string peer);
	~Connection();

	/// Starts TLS with the server that `host` names, unless `setup` has a name of its own: on return handshake and
	/// verification have succeeded. Both references are borrowed until then.
	[[nodiscard]] Task<Expected<void, ExchangeError>> startTls(
		const TlsSetup& setup, const std::string& host, Deadline deadline);

	/// Sends some of `bytes`. Returns how many.
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> send(std::string_view bytes, Deadline deadline);

	/// Receives at least one byte into `room`. Returns 0 if the peer has closed, over TLS with a close_notify.
	[[nodiscard]] Task<Expected<std::size_t, ExchangeError>> receive(std::span<char> room, Deadline deadline);

	/// Gives away the buffer for replies, which is kept from one to the next. The caller gives it back or drops it.
	[[nodiscard]] WipedString takeBuffer() noexcept { return std::move(_buffer); }
	void keepBuffer(WipedString buffer) noexcept { _buffer = std::move(buffer); }

	/// Releases the memory that is not needed until the next request.
	void rest() noexcept
	{
		if (_tls) {
			_tls->rest();
		}
	}

	/// Returns whether an idle connection can carry another request.
	[[nodiscard]] bool isQuiet() const noexcept { return !(_tls && _tls->hasPending()) && _stream->isQuiet(); }

	[[nodiscard]] const Address& address() const noexcept { return _address; }
	/// Returns TlsSetup::generation of the setup it was made with; 0: plain.
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
	std::unique_ptr<TlsStream> _tls; ///< over _stream, and destroyed before it; null: plain
};

} // namespace issuer::vault::transport
