#include "original_rules.h"

#include "go_client_router.h"

#include <algorithm>
#include <variant>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Attempt;
using vault::renewal::Grant;
using vault::renewal::Operation;
using vault::renewal::Reports;
using vault::renewal::Snapshot;
using vault::renewal::State;
using vault::renewal::TokenFacts;
using vault::renewal::WrappedGrant;

Reports OriginalRules::begin(Moment now)
{
	if (_phase == Phase::fresh) {
		_phase = Phase::lookingUp;
		_next = now.boot;
	}
	return {};
}

std::optional<Instant> OriginalRules::next() const
{
	const bool waits = _phase == Phase::lookingUp || _phase == Phase::ticking;
	return waits && !_asking ? std::optional(_next) : std::nullopt;
}

Attempt OriginalRules::attempt(Moment now)
{
	_asking = true;
	Attempt attempt;
	if (_phase == Phase::lookingUp) {
		attempt.operation = Operation::lookUp;
		attempt.budget = 30s;
		return attempt;
	}
	// The clock ticks on while a request is out. It remembers one tick, and forgets the others.
	_next += _interval * (1 + (now.boot - _next) / _interval);
	attempt.operation = Operation::renew;
	attempt.budget = std::min<Duration>(_interval, 30s);
	return attempt;
}

Reports OriginalRules::answered(Moment, Moment now, const Answer& answer)
{
	if (!_asking) {
		return {};
	}
	_asking = false;
	if (_phase == Phase::lookingUp) {
		const auto* facts = std::get_if<TokenFacts>(&answer);
		if (facts == nullptr) {
			_phase = Phase::over; // the start has failed, and is not tried again
		}
		else if (!facts->renewable || !facts->expires) {
			_phase = Phase::over;
			_warned = now.boot;
		}
		else {
			_phase = Phase::ticking;
			tickEvery(facts->ttl, now.boot);
		}
	}
	else if (const auto* grant = std::get_if<Grant>(&answer)) {
		const auto wanted = std::max<Duration>(grant->lease / 2, 5s);
		if (std::chrono::abs(wanted - _interval) > _interval / 10) {
			tickEvery(grant->lease, now.boot);
		}
	}
	else if (std::holds_alternative<WrappedGrant>(answer)) {
		_phase = Phase::over; // it finds no `renewable` in it
		_warned = now.boot;
	}
	return {};
}

void OriginalRules::tickEvery(Duration ttl, Instant now)
{
	_interval = std::max<Duration>(ttl / 2, 5s);
	_next = now + _interval;
}

Reports OriginalRules::stopped(Moment)
{
	_phase = Phase::over;
	_asking = false;
	return {};
}

/// It has no rule for this: to it, a failed request.
void OriginalRules::interrupted(Moment now)
{
	static_cast<void>(answered(now, now, vault::renewal::Trouble{}));
}

/// Another token takes another instance.
Reports OriginalRules::candidateFound(Moment now)
{
	*this = OriginalRules();
	return begin(now);
}

std::unique_ptr<Router> OriginalRules::router(const Topology& topology) const
{
	return std::make_unique<GoClientRouter>(topology);
}

Snapshot OriginalRules::snapshot() const
{
	Snapshot snapshot;
	snapshot.state = _phase == Phase::over || _phase == Phase::fresh ? State::stopped
					 : _phase == Phase::lookingUp                    ? State::starting
																	 : State::active;
	return snapshot;
}

} // namespace issuer::simulation
