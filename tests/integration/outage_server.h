#pragma once

#include "vault_admin.h"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace issuer::test {

/// The ways in which a server can be away.
enum class Mode
{
	refused,
	hanging,
	sealed,    ///< 503
	broken,    ///< 500
	throttled, ///< 429
	dripping,
};

[[nodiscard]] const char* nameOf(Mode mode);

enum class ServerKind
{
	fake,
	real,
};

[[nodiscard]] const char* nameOf(ServerKind kind);

/// A Vault of its own for some tokens, that can be away for a while. Belongs to one thread at a time.
class OutageServer
{
public:
	virtual ~OutageServer() = default;
	[[nodiscard]] virtual std::string address() const = 0;
	[[nodiscard]] virtual const VaultAdmin& admin() const = 0;
	virtual void leave(Mode mode) = 0;
	virtual void comeBack(Mode mode) = 0;
};

/// Null when there is no such server.
[[nodiscard]] std::unique_ptr<OutageServer> startServer(ServerKind kind);
/// Returns the outages that a server of `kind` can be made to have.
[[nodiscard]] std::vector<Mode> modesOf(ServerKind kind);

/// Waits for the wall clock: real leases run by it, and an outage lasts for as long as it lasts.
void passUntil(std::chrono::steady_clock::time_point then);

} // namespace issuer::test
