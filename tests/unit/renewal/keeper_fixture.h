#pragma once

#include "heard_reports.h"

#include "renewal/keeper.h"

#include <optional>
#include <string>
#include <vector>

namespace issuer::vault::renewal::test {

using namespace std::chrono_literals;

/// The rules without chance: times can be written down.
[[nodiscard]] Policy steady();

/// Returns the look-up of a service token with `ttl` left of a lease.
[[nodiscard]] TokenFacts token(Duration ttl, Duration lease);

/// Returns an answer without success.
[[nodiscard]] Trouble trouble(Trouble::Kind kind, Reason reason);
[[nodiscard]] Trouble away();
[[nodiscard]] Trouble serverError(); ///< a 500
[[nodiscard]] Trouble timedOut();
[[nodiscard]] Trouble unreachable(); ///< surely unsent
[[nodiscard]] Trouble refusal();
[[nodiscard]] Trouble policyRefusal();
[[nodiscard]] Trouble unclearRefusal();
[[nodiscard]] Trouble atMaxTtl();
[[nodiscard]] Trouble throttled(Duration retryAfter);

/// A keeper, and the time and the server around it. Begins on 2026-12-24 at 10:00 UTC.
class KeeperFixture : public HeardReports
{
public:
	explicit KeeperFixture(const Policy& policy = steady(), std::uint64_t seed = 1);

	Keeper keeper;
	Moment now;

	[[nodiscard]] static WallTime christmasEve();

	/// Begins the life, and answers the first look-up.
	KeeperFixture& begin();
	KeeperFixture& begin(const Answer& answer);
	/// Begins the life of a token that is refused until that is believed.
	KeeperFixture& beginRefused();

	KeeperFixture& wait(Duration length);
	KeeperFixture& waitUntil(Instant instant);

	/// Goes to the planned time, and takes the attempt.
	Attempt take();
	/// Hands its answer back, `latency` after it was taken.
	KeeperFixture& answer(const Answer& answer, Duration latency = 10ms);
	/// Both.
	KeeperFixture& meet(const Answer& answer, Duration latency = 10ms);
	/// As often as it takes until `end`.
	KeeperFixture& meetUntil(Instant end, const Answer& answer, Duration latency = 10ms);

	KeeperFixture& hear(Reports reports);
	/// Forgets the reports so far.
	KeeperFixture& forget();

	[[nodiscard]] State state() const { return keeper.snapshot().state; }
	[[nodiscard]] Reason reason() const { return keeper.snapshot().reason; }
	/// Until the next attempt.
	[[nodiscard]] std::optional<Duration> pause() const;
	/// The life to plan by.
	[[nodiscard]] Duration remains() const;

	[[nodiscard]] std::vector<Outcome> outcomes() const; ///< without Outcome::none
	[[nodiscard]] std::vector<State> changes() const;    ///< of the events without an outcome
	[[nodiscard]] Event lastEvent() const;

	std::vector<Instant> starts; ///< of attempts

private:
	Moment _sent;
};

} // namespace issuer::vault::renewal::test
