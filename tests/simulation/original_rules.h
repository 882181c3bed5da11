#pragma once

#include "renewer.h"

namespace issuer::simulation {

/// The rules that certctl's renewal loop published, in our own words: look the token up once, then renew at each tick
/// of a clock that ticks at half the TTL, but not more often than every 5 s.
///
/// A failed tick changes nothing: the next try is the next tick. A TTL that moved by more than a tenth sets the clock
/// anew. `renewable:false` ends the loop, and so does a start whose look-up fails. After stop it cannot begin again.
class OriginalRules final : public Renewer
{
public:
	vault::renewal::Reports begin(Moment now) override;
	[[nodiscard]] std::optional<Instant> next() const override;
	[[nodiscard]] vault::renewal::Attempt attempt(Moment now) override;
	vault::renewal::Reports answered(Moment sent, Moment now, const vault::renewal::Answer& answer) override;
	vault::renewal::Reports stopped(Moment now) override;
	void interrupted(Moment now) override;
	vault::renewal::Reports candidateFound(Moment now) override;
	[[nodiscard]] vault::renewal::Snapshot snapshot() const override;
	[[nodiscard]] std::unique_ptr<Router> router(const Topology& topology) const override;
	[[nodiscard]] std::optional<Instant> warnedOfEnd() const override { return _warned; }

private:
	enum class Phase : std::uint8_t
	{
		fresh,
		lookingUp,
		ticking,
		over,
	};

	void tickEvery(Duration ttl, Instant now);

	Phase _phase = Phase::fresh;
	bool _asking = false;
	Instant _next;
	Duration _interval{};
	std::optional<Instant> _warned;
};

} // namespace issuer::simulation
