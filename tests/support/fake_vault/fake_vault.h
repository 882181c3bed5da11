#pragma once

#include "fake_vault/api.h"
#include "fake_vault/faults.h"
#include "fake_vault/request_log.h"
#include "fake_vault/server.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace issuer::test {

/// A Vault on this machine with honest leases, and with faults on demand. Serves when constructed.
///
///     FakeVault vault;
///     const auto token = vault.api().createToken({.ttl = 2s});
///     … vault.address() …
///     vault.faults().add(faults::hang());
///     vault.stop(); // an outage: connections are refused
///     ASSERT_TRUE(vault.log().waitForCount("renew-self", 3));
///
/// The same is to be had over HTTP below /fake/ (see control.h). [thread-safe], but start and stop, which belong to one
/// thread.
class FakeVault
{
public:
	struct Options
	{
		Listening listening = {};
		Api::Options api = {};
		const ServerClock* clock = nullptr; ///< borrowed; null: real time
	};

	FakeVault() : FakeVault(Options()) {}
	explicit FakeVault(const Options& options);
	~FakeVault();

	[[nodiscard]] std::string address() const { return _server->address(); }
	[[nodiscard]] const std::string& rootToken() const { return _api.rootToken(); }

	Api& api() { return _api; }
	Faults& faults() { return _faults; }
	RequestLog& log() { return _log; }

	void stop();  ///< clients are refused from now on, and those connected are cut off
	void start(); ///< at the same address; reads the certificate files again

	/// An outage that begins at once, on another thread, and ends by itself, or with the
	/// next start, stop or stopFor.
	void stopFor(std::chrono::milliseconds howLong);

private:
	Connection::Answer answer(ApiRequest& request, Connection& connection);
	Connection::Answer answerFaulty(ApiRequest& request, Connection& connection, const Faults::Strike& strike);
	Connection::Answer answerLogged(ApiRequest& request, Connection& connection);
	void runOutages();
	void endOutage();

	RealClock _realClock;
	const ServerClock& _clock;
	Api _api;
	Faults _faults;
	RequestLog _log;

	/// Outages that end by themselves are made on a thread of their own: the caller may be a connection, which cannot
	/// wait until the last connection has ended.
	std::mutex _outageMutex;
	std::condition_variable _outageChanged;
	std::optional<std::chrono::milliseconds> _outageWanted;
	bool _inOutage = false;
	bool _outageOver = false; ///< earlier than it was meant to end
	bool _ending = false;
	std::unique_ptr<Server> _server; ///< its threads, which begin with it, use all of the above
	std::thread _outages;            ///< and this one the server, too
};

} // namespace issuer::test
