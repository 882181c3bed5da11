#pragma once

#include "base/http.h"
#include "base/result.h"

#include <chrono>
#include <string>

/// Answers of a server, as an exchange brings them.
namespace issuer::vault::test {

using Sent = Expected<HttpReply, ExchangeError>;

inline Sent reply(int status, const std::string& body)
{
	HttpReply reply;
	reply.status = status;
	reply.body.assign(body.begin(), body.end());
	return reply;
}

inline Sent lookedUp(std::chrono::seconds ttl, const std::string& more = "")
{
	const auto seconds = std::to_string(ttl.count());
	return reply(200, R"({"data":{"ttl":)" + seconds + R"(,"creation_ttl":)" + seconds +
						  R"(,"renewable":true,"expire_time":"2027-01-15T08:10:00Z","type":"service","num_uses":0)" +
						  more + "}}");
}

inline Sent renewed(std::chrono::seconds lease)
{
	return reply(200, R"({"auth":{"lease_duration":)" + std::to_string(lease.count()) + R"(,"renewable":true}})");
}

inline Sent refused()
{
	return reply(403, R"({"errors":["permission denied"]})");
}

inline Sent notReached()
{
	return tl::unexpected(ExchangeError{ExchangeError::Kind::network, "cannot connect to 127.0.0.1:8200: refused"});
}

} // namespace issuer::vault::test
