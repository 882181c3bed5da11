#pragma once

#include <chrono>
#include <cstdint>
#include <issuer/kit/extension_slots.h>
#include <issuer/kit/worker.h>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>

namespace new_plugin {

/// The server that the credential is renewed at. A test stands in for it.
class Server
{
public:
	virtual ~Server() = default;

	/// Renews the credential. Returns how long it lives from now on, or nothing if the server did not say so. Returns
	/// soon after a stop is requested.
	virtual std::optional<std::chrono::seconds> renew(const std::stop_token& stop) = 0;
};

/// The decoded configuration.
struct Config
{
	std::chrono::milliseconds retryPause{1000}; ///< after a failure
};

/// Keeps one credential alive: renews it at half of its life, and tries again after a failure.
class NewPlugin
{
public:
	/// Decodes the configuration; opens nothing. The error names the key.
	static issuer::kit::Result<Config> configure(std::string_view json);

	NewPlugin(issuer::kit::HostCallbacks& host, Config config, std::unique_ptr<Server> server);

	issuer::kit::Answer start();
	issuer::kit::Answer stop(std::chrono::milliseconds timeout) { return _worker.stop(timeout); }
	[[nodiscard]] bool isRunning() const { return _worker.isRunning(); }

	[[nodiscard]] issuer::kit::Health health() const;

private:
	void keepAlive(const std::stop_token& stop);
	/// Renews once and tells; returns the pause until the next time.
	std::chrono::milliseconds renew(const std::stop_token& stop);

	issuer::kit::HostCallbacks& _host;
	const Config _config;
	const std::unique_ptr<Server> _server;
	std::uint32_t _attempt = 1; ///< of the present renewal; the worker's

	mutable std::mutex _mutex; ///< guards what follows
	issuer::kit::Health _health;

	issuer::kit::Worker _worker; ///< the last member: it ends first
};

} // namespace new_plugin
