#pragma once

#include "renewer.h"

namespace issuer::simulation {

/// The rules of OpenBao's LifetimeWatcher as it ships with its Go client, in our own words.
///
/// It renews at once, then after two thirds of each lease and a little more. A request is tried three times where the
/// answer says "later", and may take 60 s in all. After a failure it pauses 10 s, half as much less or more, doubling;
/// it ends where that pause, or the next sleep, would leave less than its grace: 10 to 20 % of a lease.
/// That its owner first looks the token up, and again every 5 s until that works, is generous.
class LifetimeWatcherRules final : public Renewer
{
public:
	explicit LifetimeWatcherRules(std::uint64_t seed) : _dice(seed) {}

	vault::renewal::Reports begin(Moment now) override;
	[[nodiscard]] std::optional<Instant> next() const override;
	[[nodiscard]] vault::renewal::Attempt attempt(Moment now) override;
	vault::renewal::Reports answered(Moment sent, Moment now, const vault::renewal::Answer& answer) override;
	vault::renewal::Reports stopped(Moment now) override;
	void interrupted(Moment now) override;
	vault::renewal::Reports candidateFound(Moment now) override;
	[[nodiscard]] vault::renewal::Snapshot snapshot() const override;
	[[nodiscard]] std::unique_ptr<Router> router(const Topology& topology) const override;
	[[nodiscard]] std::optional<Instant> warnedOfEnd() const override { return _gaveUp; }
	[[nodiscard]] std::optional<Instant> gaveUp() const override { return _gaveUp; }

private:
	enum class Phase : std::uint8_t
	{
		idle,
		lookingUp,
		watching,
	};

	void granted(Duration lease, Instant now);
	void failed(Instant now);
	void sleepOrEnd(Duration remaining, Duration pause, Instant now);
	void setGrace(Duration lease);
	double roll();

	std::uint64_t _dice;
	Phase _phase = Phase::idle;
	bool _asking = false;
	Instant _next;
	Instant _deadline; ///< of the renewal with all its tries
	int _tries = 0;    ///< of this renewal
	Instant _leaseBegan;
	Duration _lease{};
	Duration _prior{};
	Duration _grace{};
	Duration _backoff{}; ///< 0: the latest renewal worked
	std::optional<Instant> _gaveUp;
};

} // namespace issuer::simulation
