#pragma once

#include "config.h"

#include <chrono>
#include <cstdint>
#include <issuer/kit/extension_slots.h>
#include <issuer/kit/worker.h>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

namespace etcd {

/// Keeps one lease of etcd's alive: has it granted, keeps it alive at half of its life, tries again while an outage
/// lasts, and has another granted when it is lost. A stop leaves the lease alive, for a successor to go on with.
class Lease
{
public:
	Lease(issuer::kit::HostCallbacks& host, Config config)
		: _host(host), _config(std::move(config)), _id(_config.leaseId), _worker(host)
	{
	}

	issuer::kit::Answer start();
	issuer::kit::Answer stop(std::chrono::milliseconds timeout) { return _worker.stop(timeout); }
	[[nodiscard]] bool isRunning() const { return _worker.isRunning(); }

	[[nodiscard]] issuer::kit::Health health() const;
	issuer::kit::Answer renewNow();
	issuer::kit::Answer credentialChanged() { return renewNow(); } // there is no source to read again

	/// The lease's id and its end.
	issuer::kit::Result<std::string> exportState();
	issuer::kit::Answer importState(std::string_view text);

private:
	using Clock = std::chrono::steady_clock;

	/// The result of a request: the seconds that the lease lives from now on, or why not. No reason: it was cancelled.
	struct Trouble
	{
		issuer_reason reason = ISSUER_REASON_NONE;
		std::string text;
	};
	using Granted = std::variant<std::chrono::seconds, Trouble>;

	void keepAlive(const std::stop_token& stop);
	[[nodiscard]] Granted grant(const std::stop_token& stop);
	[[nodiscard]] Granted extend(const std::string& id, const std::stop_token& stop);
	[[nodiscard]] std::variant<std::string, Trouble> ask(
		const std::string& path, const std::string& body, const std::stop_token& stop) const;

	void succeeded(std::chrono::seconds life, bool isNew, std::chrono::microseconds latency);
	void failed(const Trouble& trouble, std::chrono::microseconds latency);
	void lost(const Trouble& trouble, std::chrono::microseconds latency);
	void expired();
	void record(issuer_result result, std::chrono::microseconds latency, const std::string& detail);

	issuer::kit::HostCallbacks& _host;
	const Config _config;

	mutable std::mutex _mutex; ///< guards all below; never held while the host is told or etcd is asked
	std::string _id;           ///< empty: another is to be granted
	issuer::kit::Health _health;
	std::uint32_t _attempt = 1;
	Clock::time_point _end;  ///< of the lease; it ends no sooner
	Clock::time_point _next; ///< of the next request

	issuer::kit::Worker _worker;
};

} // namespace etcd
