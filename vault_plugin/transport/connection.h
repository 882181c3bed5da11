#pragma once

#include "transport/deadline_socket.h"
#include "transport/tls.h"

#include <Poco/AutoPtr.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace issuer::vault::transport {

/// The bytes of one connection, plain or over TLS, each wait within the limits of the exchange in progress. Errors are
/// values that name `peer`. Not thread-safe. Send and destroy where SIGPIPE is blocked.
class Connection
{
public:
	/// `peer` is what messages call the other end: an address as the operator wrote it.
	Connection(Descriptor connected, std::string peer);
	~Connection();

	void limitTo(const Limits& limits) { _socket->limitTo(limits); }

	/// Speaks TLS from here on: handshake and verification have succeeded when it returns.
	[[nodiscard]] Expected<void, ExchangeError> startTls(const Tls::Ready& tls);

	/// All of `bytes`.
	[[nodiscard]] Expected<void, ExchangeError> send(std::string_view bytes);

	/// At least one byte into `room`; 0: the peer has closed, over TLS with a proper goodbye.
	[[nodiscard]] Expected<std::size_t, ExchangeError> receive(std::span<char> room);

	/// Whether an idle connection can carry another request.
	[[nodiscard]] bool isQuiet() const noexcept { return _socket->isQuiet(); }

private:
	template <class Do>
	Expected<std::size_t, ExchangeError> guarded(const char* doing, Do&& action);

	std::string _peer;
	Poco::AutoPtr<DeadlineSocket> _socket;
	Poco::AutoPtr<Poco::Net::StreamSocketImpl> _top; ///< _socket itself, or the TLS over it
};

} // namespace issuer::vault::transport
