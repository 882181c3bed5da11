#pragma once

#include <cstdint>
#include <list>

namespace issuer::test {

/// A port on which no connection is ever answered: its queue is full. The next SYN is dropped.
class BlackHole
{
public:
	BlackHole();
	~BlackHole();
	BlackHole(const BlackHole&) = delete;
	BlackHole& operator=(const BlackHole&) = delete;

	[[nodiscard]] std::uint16_t port() const { return _port; }

private:
	std::list<int> _sockets;
	std::uint16_t _port = 0;
};

/// Returns a loopback port that refuses connections (unless another process takes it meanwhile).
[[nodiscard]] std::uint16_t closedPort();

} // namespace issuer::test
