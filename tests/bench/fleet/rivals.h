#pragma once

#include "meter.h"

#include <cstdint>
#include <string>

/// Others at the same server, to compare with. Each runs in a process of its own: see inProcess().
namespace issuer::bench {

struct Target
{
	std::uint16_t port = 0;
	bool tls = false; ///< the server is not verified
};

/// Runs wrk, with a thread and as many connections, for a second: the achievable rate. Empty where it is not installed.
[[nodiscard]] Figures wrk(const Target& target, int connections);

/// Threads that send fixed bytes and wait for as many as a renewal has, over a kept-alive connection each: the least
/// that a client with blocking workers can cost.
[[nodiscard]] Figures rawClient(const Target& target, std::size_t connections);

/// Sends requests at an even rate from one thread over one connection: the cost of a steady stream of renewals for a
/// client that does nothing else. Takes as long as `length`, on the calling thread, and counts that thread alone.
[[nodiscard]] Figures bareStream(const Target& target, int rate, Seconds length);

/// As rawClient(), with a thread and a connection an issuer, waiting in between.
[[nodiscard]] Figures threadPerIssuer(const Target& target, std::size_t issuers);

} // namespace issuer::bench
