#pragma once

#include "meter.h"
#include "rivals.h"
#include "server_process.h"

#include <optional>
#include <string>

/// The measurements of the plugin. Each runs in a process of its own: see inProcess().
namespace issuer::bench {

struct Subject
{
	std::string plugin;
	std::string caFile;           ///< empty: plain
	std::string tokenFolder = ""; ///< of token files, one for each issuer; empty: the configuration holds the token
};

/// `size` issuers of one server: created, started in the background, at rest, renewed in bursts, stopped. With
/// `besideWrk`, the same server, wrk runs right before each burst, as machines are not always equally fast.
[[nodiscard]] Figures lifeOfFleet(
	const Subject& subject, const std::string& address, std::size_t size, const std::optional<Target>& besideWrk);

/// `size` issuers of one server and nothing but this: created, started in the background, at rest, stopped.
[[nodiscard]] Figures restOfFleet(const Subject& subject, const std::string& address, std::size_t size);

/// The same of 10,000 and of 20,000 issuers: bytes for each beyond its configuration, as one figure named `figure`.
[[nodiscard]] Figures bytesAtRest(const Subject& subject, const std::string& address, const std::string& figure);

/// 10,000 issuers whose lease of 20 s is renewed at its half: a thousand renewals a second. Beside them, at the same
/// server and in the same seconds, a bare client sends as many.
[[nodiscard]] Figures steadyStream(const Subject& subject, const std::string& address, const Target& target);

/// 10,000 issuers of ten addresses at a server that hangs are stopped one after the other.
[[nodiscard]] Figures stopWhileHanging(const Subject& subject, ServerProcess& server);

/// 1,000 issuers of ten addresses, one of which takes connections and never answers.
[[nodiscard]] Figures oneDeadAddress(const Subject& subject, const std::string& living, const std::string& dead);

/// Tokens, all alive, whose server is away for almost half their lease and comes back with little more capacity than
/// they need. `server`: its lease is `lease`.
[[nodiscard]] Figures recovery(
	const Subject& subject, ServerProcess& server, std::size_t size, Seconds lease, int rate);

/// Issuers of one server that differ in their client certificates only: created and started in the background, at rest
/// with a connection each, and stopped. `certificates` holds <number>.pem and <number>.key for each.
[[nodiscard]] Figures manyIdentities(
	const Subject& subject, const std::string& address, const std::string& certificates, std::size_t size);

} // namespace issuer::bench
