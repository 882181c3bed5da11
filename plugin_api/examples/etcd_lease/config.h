#pragma once

#include <chrono>
#include <cstdint>
#include <issuer/kit/answer.h>
#include <string>
#include <string_view>

namespace etcd {

/// Where the lease is granted, and for how long.
struct Config
{
	std::string host;
	std::uint16_t port = 2379;
	std::string leaseId; ///< in decimal digits; empty: etcd chooses
	std::chrono::seconds ttl{60};
	std::chrono::milliseconds requestTimeout{2000};
};

/// The rules of configure(), as a JSON Schema.
extern const char configSchema[];

/// Returns whether a text is a lease's number in decimal digits.
[[nodiscard]] bool isId(const std::string& text);

/// Decodes the configuration. The error names the key, and says which values it takes.
issuer::kit::Result<Config> configure(std::string_view json);

} // namespace etcd
