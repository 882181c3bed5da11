#pragma once

#include "fake_vault/message.h"

#include <chrono>
#include <memory>
#include <string>

namespace issuer::test {

/// A server that the tests of answers ask: the fake, or a real one of which the fake claims to behave the same.
class AskedServer
{
public:
	virtual ~AskedServer() = default;

	[[nodiscard]] virtual std::string host() const = 0; ///< with port
	[[nodiscard]] virtual std::string rootToken() const = 0;
	[[nodiscard]] virtual std::string unsealKey() const = 0;
	[[nodiscard]] virtual bool hasNamespaces() const = 0;
	/// A moment of the server's time, 50 ms; a real one's has to be waited for.
	virtual void letTimePass() = 0;
};

[[nodiscard]] std::unique_ptr<AskedServer> startFake();

/// `bao` or `vault` from PATH in dev mode, in memory, with a home of its own. Null when there is neither; throws when
/// it does not start.
[[nodiscard]] std::unique_ptr<AskedServer> startReal();

} // namespace issuer::test
