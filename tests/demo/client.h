#pragma once

#include "vault.h"

#include <atomic>
#include <filesystem>
#include <thread>

namespace issuer::demo {

/// An application that uses the token in a sink's file ten times a second, and knows nothing of renewals and logins.
class Client
{
public:
	/// `vault` must outlive it.
	Client(const Vault& vault, std::filesystem::path sink);

	/// Number of its requests that the server has served, and that it has refused; those of an outage are neither.
	[[nodiscard]] int served() const { return _served; }
	[[nodiscard]] int refused() const { return _refused; }

private:
	void use();

	const Vault& _vault;
	const std::filesystem::path _sink;
	std::atomic<int> _served = 0;
	std::atomic<int> _refused = 0;
	std::jthread _thread; ///< last: it uses the others
};

} // namespace issuer::demo
