#pragma once

#include "transport/connection.h"
#include "transport/settings.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

namespace issuer::vault::transport {

/// Connections between two exchanges, the one used last first, so that in quiet times the rest age and go.
/// Vault closes a connection that idles for 300 s; ours go earlier, so that few requests meet that moment.
/// [thread-safe] Old connections are closed on the way.
class IdleConnections
{
public:
	using Time = std::chrono::steady_clock::time_point;

	static constexpr auto longestIdle = std::chrono::seconds(90);
	static constexpr std::size_t most = 64; ///< of those used last
	/// What has happened to a connection since so short a time may still be on its way here: no use to look.
	static constexpr auto fresh = std::chrono::milliseconds(1);

	/// One to `address` of TLS `generation` that is fit for another request; null: there is none.
	[[nodiscard]] std::unique_ptr<Connection> take(const Address& address, unsigned generation, Time now);

	void keep(std::unique_ptr<Connection> connection, Time now);

	/// Closes all.
	void clear();

private:
	struct Idle
	{
		std::unique_ptr<Connection> connection;
		Time since;
	};

	/// Closing is left to the caller, outside the lock.
	[[nodiscard]] std::vector<Idle> removeOld(Time now);

	std::mutex _mutex;
	std::vector<Idle> _idle; ///< oldest first
};

} // namespace issuer::vault::transport
