#include "lifetime_watcher_rules.h"

#include "go_client_router.h"

#include <algorithm>
#include <variant>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Attempt;
using vault::renewal::Grant;
using vault::renewal::Operation;
using vault::renewal::Reason;
using vault::renewal::Reports;
using vault::renewal::Snapshot;
using vault::renewal::State;
using vault::renewal::TokenFacts;
using AnswerTrouble = vault::renewal::Trouble;

namespace {

constexpr Duration requestTimeout = 60s;
constexpr int mostTries = 3;

Duration share(Duration of, double part)
{
	return std::chrono::duration_cast<Duration>(of * part);
}

/// Returns whether the HTTP client below the watcher tries again by itself.
bool triedAgain(const Answer& answer)
{
	const auto* trouble = std::get_if<AnswerTrouble>(&answer);
	return trouble != nullptr && trouble->reason != Reason::timeout &&
		   (trouble->kind == AnswerTrouble::Kind::transport || trouble->kind == AnswerTrouble::Kind::serverAway ||
			   trouble->kind == AnswerTrouble::Kind::throttled || trouble->kind == AnswerTrouble::Kind::pastMaxTtl);
}

} // namespace

Reports LifetimeWatcherRules::begin(Moment now)
{
	if (_phase == Phase::idle) {
		_phase = Phase::lookingUp;
		_next = now.boot;
		_gaveUp.reset();
		_tries = 0;
		_backoff = {};
	}
	return {};
}

std::optional<Instant> LifetimeWatcherRules::next() const
{
	return _phase == Phase::idle || _asking ? std::nullopt : std::optional(_next);
}

Attempt LifetimeWatcherRules::attempt(Moment now)
{
	_asking = true;
	Attempt attempt;
	attempt.operation = _phase == Phase::lookingUp ? Operation::lookUp : Operation::renew;
	if (_tries++ == 0) {
		_deadline = now.boot + requestTimeout;
	}
	attempt.budget = std::max<Duration>(_deadline - now.boot, 1us);
	return attempt;
}

Reports LifetimeWatcherRules::answered(Moment, Moment now, const Answer& answer)
{
	if (!_asking) {
		return {};
	}
	_asking = false;
	if (triedAgain(answer) && _tries < mostTries) {
		_next = now.boot + _tries * share(1s, 1 + roll() / 2);
		return {};
	}
	_tries = 0;
	if (_phase == Phase::lookingUp) {
		const auto* facts = std::get_if<TokenFacts>(&answer);
		if (facts == nullptr) {
			_next = now.boot + 5s;
		}
		else if (!facts->expires) {
			_phase = Phase::idle; // nothing to watch
		}
		else {
			_phase = Phase::watching;
			_lease = facts->ttl;
			_leaseBegan = now.boot;
			_prior = _lease;
			setGrace(_lease);
			_next = now.boot;
		}
	}
	else if (const auto* grant = std::get_if<Grant>(&answer)) {
		granted(grant->lease, now.boot);
	}
	else {
		failed(now.boot);
	}
	return {};
}

void LifetimeWatcherRules::granted(Duration lease, Instant now)
{
	_backoff = {};
	_leaseBegan = now;
	_lease = lease;
	if (lease > _prior) {
		setGrace(lease);
	}
	sleepOrEnd(lease, share(lease, 2.0 / 3) + _grace / 3, now);
}

void LifetimeWatcherRules::failed(Instant now)
{
	_backoff = _backoff == Duration::zero() ? Duration(10s) : std::min<Duration>(2 * _backoff, 5min);
	sleepOrEnd(_leaseBegan + _lease - now, share(_backoff, 0.5 + roll()), now);
}

void LifetimeWatcherRules::sleepOrEnd(Duration remaining, Duration pause, Instant now)
{
	_prior = remaining;
	_next = now + pause;
	if (remaining <= _grace || remaining - pause <= _grace) {
		_phase = Phase::idle;
		_gaveUp = now;
	}
}

void LifetimeWatcherRules::setGrace(Duration lease)
{
	_grace = share(lease, 0.1 + 0.1 * roll());
}

Reports LifetimeWatcherRules::stopped(Moment)
{
	_phase = Phase::idle;
	_asking = false;
	return {};
}

/// It has no rule for this: to it, a failed request.
void LifetimeWatcherRules::interrupted(Moment now)
{
	static_cast<void>(answered(now, now, AnswerTrouble{}));
}

Reports LifetimeWatcherRules::candidateFound(Moment now)
{
	_phase = Phase::idle;
	_asking = false;
	return begin(now);
}

std::unique_ptr<Router> LifetimeWatcherRules::router(const Topology& topology) const
{
	return std::make_unique<GoClientRouter>(topology);
}

Snapshot LifetimeWatcherRules::snapshot() const
{
	Snapshot snapshot;
	snapshot.state = _phase == Phase::idle        ? State::stopped
					 : _phase == Phase::lookingUp ? State::starting
												  : State::active;
	return snapshot;
}

double LifetimeWatcherRules::roll()
{
	_dice = _dice * 6364136223846793005U + 1442695040888963407U;
	return static_cast<double>(_dice >> 11U) * 0x1.0p-53;
}

} // namespace issuer::simulation
