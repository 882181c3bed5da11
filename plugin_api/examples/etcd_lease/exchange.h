#pragma once

#include <chrono>
#include <cstdint>
#include <issuer/lifecycle.h>
#include <stop_token>
#include <string>
#include <variant>

namespace etcd {

/// An answer of etcd's, whatever its status.
struct Reply
{
	int status = 0;
	std::string body;
};

/// The reason why there is no answer. A cancelled exchange is no failure of the server's: ISSUER_REASON_NONE.
struct Failure
{
	issuer_reason reason = ISSUER_REASON_NONE;
	std::string text;
};

/// Posts JSON to http://host:port/path and waits for the answer until the deadline passes or a stop is requested, which
/// ends it within moments. (A name is looked up first, for as long as the system's resolver takes; an address is not.)
[[nodiscard]] std::variant<Reply, Failure> post(const std::string& host, std::uint16_t port, const std::string& path,
	const std::string& body, std::chrono::steady_clock::time_point deadline, const std::stop_token& stop);

} // namespace etcd
