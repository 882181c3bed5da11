#include "keeper_fixture.h"

#include <stdexcept>
#include <utility>

namespace issuer::vault::renewal::test {

Policy steady()
{
	Policy policy;
	policy.jitter = 0;
	policy.pauseJitter = 0;
	policy.longestSpread = 0ms;
	policy.silenceSpread = 0;
	return policy;
}

TokenFacts token(Duration ttl, Duration lease)
{
	TokenFacts facts;
	facts.ttl = ttl;
	facts.creationTtl = lease;
	return facts;
}

Trouble trouble(Trouble::Kind kind, Reason reason)
{
	return {kind, reason, std::nullopt, "what the server said"};
}

Trouble away()
{
	return trouble(Trouble::Kind::serverAway, Reason::sealed);
}

Trouble serverError()
{
	return trouble(Trouble::Kind::serverAway, Reason::server);
}

Trouble timedOut()
{
	return trouble(Trouble::Kind::transport, Reason::timeout);
}

Trouble unreachable()
{
	auto unreachable = trouble(Trouble::Kind::transport, Reason::network);
	unreachable.unsent = true;
	return unreachable;
}

Trouble refusal()
{
	return trouble(Trouble::Kind::refused, Reason::refused);
}

Trouble policyRefusal()
{
	return trouble(Trouble::Kind::denied, Reason::refused);
}

Trouble unclearRefusal()
{
	return trouble(Trouble::Kind::unclearRefusal, Reason::refused);
}

Trouble atMaxTtl()
{
	return trouble(Trouble::Kind::pastMaxTtl, Reason::maxTtl);
}

Trouble throttled(Duration retryAfter)
{
	auto throttled = trouble(Trouble::Kind::throttled, Reason::throttled);
	throttled.retryAfter = retryAfter;
	return throttled;
}

KeeperFixture::KeeperFixture(const Policy& policy, std::uint64_t seed)
	: keeper(policy, seed), now{Instant(1000s), christmasEve()}, _sent(now)
{
}

WallTime KeeperFixture::christmasEve()
{
	using namespace std::chrono;
	return sys_days(2026y / December / 24) + 10h;
}

KeeperFixture& KeeperFixture::begin()
{
	return hear(keeper.begin(now));
}

KeeperFixture& KeeperFixture::begin(const Answer& answer)
{
	return begin().meet(answer);
}

KeeperFixture& KeeperFixture::beginRefused()
{
	begin();
	while (state() == State::starting) {
		meet(refusal());
	}
	return *this;
}

KeeperFixture& KeeperFixture::wait(Duration length)
{
	now.boot += length;
	now.wall += length;
	return *this;
}

KeeperFixture& KeeperFixture::waitUntil(Instant instant)
{
	return instant > now.boot ? wait(instant - now.boot) : *this;
}

Attempt KeeperFixture::take()
{
	const auto next = keeper.next();
	if (!next) {
		throw std::logic_error("no attempt is planned");
	}
	waitUntil(*next);
	_sent = now;
	starts.push_back(now.boot);
	return keeper.attempt(now);
}

KeeperFixture& KeeperFixture::answer(const Answer& answer, Duration latency)
{
	wait(latency);
	return hear(keeper.answered(_sent, now, answer));
}

KeeperFixture& KeeperFixture::meet(const Answer& answer, Duration latency)
{
	take();
	return this->answer(answer, latency);
}

KeeperFixture& KeeperFixture::meetUntil(Instant end, const Answer& answer, Duration latency)
{
	while (keeper.next() && *keeper.next() < end) {
		meet(answer, latency);
	}
	return waitUntil(end);
}

KeeperFixture& KeeperFixture::hear(Reports reports)
{
	add(std::move(reports));
	return *this;
}

KeeperFixture& KeeperFixture::forget()
{
	clear();
	starts.clear();
	return *this;
}

std::optional<Duration> KeeperFixture::pause() const
{
	const auto next = keeper.next();
	return next ? std::optional(*next - now.boot) : std::nullopt;
}

Duration KeeperFixture::remains() const
{
	return keeper.expiry().value() - now.boot;
}

std::vector<Outcome> KeeperFixture::outcomes() const
{
	std::vector<Outcome> outcomes;
	for (const auto& event : events) {
		if (event.outcome != Outcome::none) {
			outcomes.push_back(event.outcome);
		}
	}
	return outcomes;
}

std::vector<State> KeeperFixture::changes() const
{
	std::vector<State> changes;
	for (const auto& event : events) {
		if (event.outcome == Outcome::none) {
			changes.push_back(event.state);
		}
	}
	return changes;
}

Event KeeperFixture::lastEvent() const
{
	return events.at(events.size() - 1);
}

} // namespace issuer::vault::renewal::test
