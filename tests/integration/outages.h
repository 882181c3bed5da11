#pragma once

#include "mock_host.h"
#include "outage_server.h"

#include <issuer/health.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace issuer::test {

/// A token that the plugin keeps, and the plugin's events about it.
class KeptToken
{
public:
	KeptToken(const LoadedPlugin& plugin, const OutageServer& server, std::string token);

	[[nodiscard]] const std::string& token() const { return _token; }
	void renewNow() const;

	[[nodiscard]] issuer_health health() const;
	[[nodiscard]] const MockHost& host() const { return _host; }

	/// Of a request: when it was sent, by the wall clock, and whether it was answered as wished.
	struct Attempt
	{
		std::chrono::system_clock::time_point sent;
		std::chrono::system_clock::time_point ended;
		bool succeeded;
	};
	[[nodiscard]] std::vector<Attempt> attempts() const;
	/// Waits until a request that was sent later has succeeded. False: the token is lost.
	[[nodiscard]] bool awaitSuccessAfter(std::chrono::system_clock::time_point then) const;

private:
	const LoadedPlugin& _plugin;
	std::string _token;
	testing::NiceMock<MockHost> _host;
	std::unique_ptr<TestIssuer> _issuer;
};

/// Some tokens of one lease at a server of their own, which is away again and again for a share of that lease.
struct Scenario
{
	ServerKind kind = ServerKind::fake;
	Mode mode = Mode::refused;
	std::chrono::seconds lease{8};
	double share = 0.4;
	int tokens = 6;
	std::chrono::seconds span{0}; ///< no outage begins later; 0: there is one
};

/// The results of a run.
struct Tally
{
	int outages = 0; ///< a token and an outage
	int lost = 0;
	int lostInVain = 0;   ///< although the server was back guard + gap + round trip before the end of the lease
	int mostRequests = 0; ///< of one token during one outage
	double bound = 0;     ///< for those
	std::chrono::milliseconds longestOutage{0};                ///< a real server takes its time to start
	std::chrono::milliseconds closest = std::chrono::hours(1); ///< two requests of one token ever were
	std::chrono::milliseconds gap{0};                          ///< which they never may go below
};

/// Runs it to its end; `seed` says at which phases of the leases the server leaves.
[[nodiscard]] Tally run(const Scenario& scenario, const LoadedPlugin& plugin, unsigned seed);

} // namespace issuer::test
