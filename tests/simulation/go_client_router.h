#pragma once

#include "router.h"

namespace issuer::simulation {

/// Go's HTTP client, in our own words: the original and the LifetimeWatcher send their requests with it.
///
/// It reuses a connection for as long as the server keeps it open, after any answer, and waits for an answer for as
/// long as the request may take. Only for a new connection it resolves the name, and then takes the first address that
/// connects: one after the other, each with its share of the time, at least 2 s. It remembers no address.
class GoClientRouter final : public Router
{
public:
	explicit GoClientRouter(const Topology& topology) : _topology(topology) {}

	void begin(Instant deadline) override;
	[[nodiscard]] Step next(Instant now) override;
	void nothingKept(int endpoint) override;
	[[nodiscard]] std::vector<int> resolved(const std::vector<int>& endpoints, Instant now) override;
	void resolverFailed(Instant now) override;
	void resolverIsSlow(Instant now) override;
	void dialFailed(int endpoint, Instant now) override;
	void goodReply(int endpoint, Duration firstByteAfter, Instant now) override;
	[[nodiscard]] bool badReply(int endpoint, Instant now) override;
	[[nodiscard]] bool keptSilent(int endpoint, Instant now) override;
	void keptClosed() override;
	[[nodiscard]] Duration longestAge() const override { return Duration::max(); }

private:
	enum class Phase : std::uint8_t
	{
		reusing,
		resolving,
		dialling,
		over,
	};

	const Topology& _topology;
	Phase _phase = Phase::over;
	Instant _deadline;
	int _latest = -1; ///< the endpoint of the latest connection
	std::vector<int> _endpoints;
};

} // namespace issuer::simulation
