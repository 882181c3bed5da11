#pragma once

#include "fault_server/fault_server.h"
#include "shared_pki.h"
#include "transport/blocking.h"
#include "transport/clients.h"
#include "transport/resolver.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

namespace issuer::test {

using vault::ExchangeError;
using vault::Expected;
using vault::HttpReply;
using vault::HttpRequest;

inline const std::string canary = "s.canary-that-must-not-travel-to-strangers";

/// Longest duration of an exchange that ought to end by itself: long enough for the slowest machine under sanitizers.
inline constexpr auto patience = std::chrono::seconds(30);

inline HttpRequest renewal()
{
	HttpRequest request;
	request.method = "POST";
	request.path = "/v1/auth/token/renew-self";
	request.secretHeader = "X-Vault-Token";
	request.secret = canary;
	request.body = "{}";
	return request;
}

inline vault::transport::Settings settingsFor(const std::vector<std::string>& addresses)
{
	vault::transport::Settings settings;
	for (const auto& address : addresses) {
		settings.addresses.push_back(vault::transport::Address::parse(address).value());
	}
	settings.userAgent = "issuer-test";
	return settings;
}

/// Stop, as an exchange sees it.
class Stop
{
public:
	Stop() : _fd(::eventfd(0, EFD_CLOEXEC)) {}
	~Stop() { ::close(_fd); }
	Stop(const Stop&) = delete;
	Stop& operator=(const Stop&) = delete;

	void now() const { ::eventfd_write(_fd, 1); }
	[[nodiscard]] int fd() const { return _fd; }

private:
	int _fd;
};

using vault::transport::ExchangeResult;

inline ExchangeResult renew(
	vault::transport::Exchange& client, std::chrono::milliseconds limit = patience, int cancelFd = -1)
{
	const auto request = renewal();
	return vault::transport::blockingly(client.carry(request, std::chrono::steady_clock::now() + limit), cancelFd);
}

inline ExchangeResult renew(
	const vault::transport::Settings& settings, std::chrono::milliseconds limit = patience, int cancelFd = -1)
{
	return renew(*vault::transport::Clients().get(settings), limit, cancelFd);
}

/// Formats a reply for the text of a failed assertion.
inline std::string told(const ExchangeResult& outcome)
{
	return outcome ? "status " + std::to_string(outcome->status) : outcome.error().text;
}

} // namespace issuer::test
