#include "exchange.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketAddress.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <poll.h>
#include <sstream>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace etcd {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor
{
public:
	explicit Descriptor(int fd) noexcept : _fd(fd) {}
	~Descriptor() { ::close(_fd); }
	Descriptor(const Descriptor&) = delete;
	Descriptor& operator=(const Descriptor&) = delete;

	[[nodiscard]] int get() const noexcept { return _fd; }

private:
	const int _fd;
};

/// Throws a Failure that says what could not be done and why.
[[noreturn]] void fail(int error)
{
	throw Failure{ISSUER_REASON_NETWORK, std::generic_category().message(error)};
}

/// One connection for one exchange, non-blocking. Poco's own sockets would be inherited by programs that the host
/// starts, and a stop could not end their connect.
class Connection
{
public:
	Connection(const Poco::Net::SocketAddress& address, Clock::time_point deadline, const std::stop_token& stop)
		: _deadline(deadline), _stop(stop), _wakeUp(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
		  _socket(::socket(address.af(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
	{
		if (_socket.get() < 0 || _wakeUp.get() < 0) {
			fail(errno);
		}
		const std::stop_callback whenStopped(_stop, [this] { ::eventfd_write(_wakeUp.get(), 1); });
		if (::connect(_socket.get(), address.addr(), address.length()) != 0) {
			if (errno != EINPROGRESS) {
				fail(errno);
			}
			await(POLLOUT);
			int error = 0;
			socklen_t size = sizeof error;
			::getsockopt(_socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
			if (error != 0) {
				fail(error);
			}
		}
	}

	void send(std::string_view bytes)
	{
		const std::stop_callback whenStopped(_stop, [this] { ::eventfd_write(_wakeUp.get(), 1); });
		while (!bytes.empty()) {
			const ssize_t sent = ::send(_socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
			if (sent < 0 && errno != EAGAIN) {
				fail(errno);
			}
			bytes.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
			if (!bytes.empty()) {
				await(POLLOUT);
			}
		}
	}

	/// Returns all that comes until the server closes.
	std::string receive()
	{
		constexpr std::size_t most = 1 << 20;
		const std::stop_callback whenStopped(_stop, [this] { ::eventfd_write(_wakeUp.get(), 1); });
		std::string all;
		for (std::array<char, 4096> buffer;;) {
			const ssize_t received = ::recv(_socket.get(), buffer.data(), buffer.size(), 0);
			if (received == 0) {
				return all;
			}
			if (received < 0 && errno != EAGAIN) {
				fail(errno);
			}
			if (received < 0) {
				await(POLLIN);
				continue;
			}
			all.append(buffer.data(), static_cast<std::size_t>(received));
			if (all.size() > most) {
				throw Failure{ISSUER_REASON_MALFORMED, "the answer is larger than 1 MiB"};
			}
		}
	}

private:
	void await(short events)
	{
		const auto left = std::chrono::ceil<std::chrono::milliseconds>(_deadline - Clock::now()).count();
		std::array<pollfd, 2> waited{{{_socket.get(), events, 0}, {_wakeUp.get(), POLLIN, 0}}};
		const int ready = ::poll(waited.data(), waited.size(), static_cast<int>(std::clamp<long>(left, 0, 3'600'000)));
		if (_stop.stop_requested()) {
			throw Failure{ISSUER_REASON_NONE, "cancelled"};
		}
		if (ready == 0) {
			throw Failure{ISSUER_REASON_TIMEOUT, "no answer in time"};
		}
	}

	const Clock::time_point _deadline;
	const std::stop_token& _stop;
	const Descriptor _wakeUp;
	const Descriptor _socket;
};

/// HTTP/1.0, so that the answer ends where the connection does.
std::string requestText(const std::string& host, std::uint16_t port, const std::string& path, const std::string& body)
{
	Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_POST, path, Poco::Net::HTTPMessage::HTTP_1_0);
	request.setHost(host, port);
	request.setContentType("application/json");
	request.setContentLength(static_cast<std::streamsize>(body.size()));
	std::ostringstream text;
	request.write(text);
	text << body;
	return text.str();
}

} // namespace

std::variant<Reply, Failure> post(const std::string& host, std::uint16_t port, const std::string& path,
	const std::string& body, std::chrono::steady_clock::time_point deadline, const std::stop_token& stop)
try {
	Connection connection(Poco::Net::SocketAddress(host, port), deadline, stop);
	connection.send(requestText(host, port, path, body));
	std::istringstream text(connection.receive());
	Poco::Net::HTTPResponse response;
	response.read(text);
	return Reply{response.getStatus(), std::string(std::istreambuf_iterator<char>(text), {})};
}
catch (const Failure& failure) {
	return failure;
}
catch (const Poco::Net::MessageException&) {
	return Failure{ISSUER_REASON_MALFORMED, "the answer is not HTTP"};
}
catch (const Poco::Exception& error) {
	return Failure{ISSUER_REASON_NETWORK, error.displayText()};
}

} // namespace etcd
