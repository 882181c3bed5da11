#include "stage.h"

#include "faults.h"

#include <algorithm>
#include <utility>
#include <variant>

/// The way of a request: sent, at the server, and back.
namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Grant;
using vault::renewal::Operation;
using vault::renewal::Reason;
using vault::renewal::TokenFacts;
using vault::renewal::WrappedGrant;
using Verdict = vault::renewal::Trouble;

void Stage::send()
{
	forgetPlan();
	const auto state = _renewer.snapshot().state;
	const auto attempt = _renewer.attempt(moment());
	Exchange exchange;
	exchange.sent = _now;
	exchange.ended = _now;
	exchange.operation = attempt.operation;
	exchange.tokenAlive = _vault.alive(_now);
	exchange.toldLease = _toldLease;
	const bool endKnown = _toldLease > Duration::zero() && _toldEnd != Instant::max();
	exchange.remaining = endKnown ? _toldEnd - _now : Duration::max();
	exchange.stateBefore = state;
	exchange.life = _chronicle.lives;
	const auto* trouble = disturbance();
	exchange.duringOutage = trouble != nullptr && preventsRenewal(trouble->fault);
	_chronicle.exchanges.push_back(exchange);

	const bool readable = sourceReadable();
	if (!readable) {
		record(_renewer.credentialUnreadable(moment(), _haveToken), false, false);
		if (!_haveToken) {
			tell("no request: the credential source gives no token");
			return;
		}
	}
	_haveToken = true;
	const auto roundTrip = _world.network.latency + upTo(_world.network.jitter);
	Flight flight{};
	flight.sent = _now;
	flight.arrival = _now + roundTrip / 2;
	flight.deadline = _now + attempt.budget;
	flight.end = _now + roundTrip;
	flight.attempt = attempt;
	flight.exchange = _chronicle.exchanges.size() - 1;
	flight.life = _chronicle.lives;
	if (lost()) {
		flight.arrival = Instant::max();
	}
	flight.replyLost = lost();
	if (flight.arrival == Instant::max() || flight.replyLost) {
		_chronicle.exchanges.back().mischance = true;
		flight.end = flight.deadline;
	}
	if (flight.end >= flight.deadline) {
		flight.end = flight.deadline;
		flight.replyLost = true;
	}
	if (_timeline != nullptr) {
		tell(std::string(attempt.operation == Operation::renew ? "renew" : "look up") +
			 (attempt.increment ? " for " + inWords(*attempt.increment) : "") + ", " + inWords(attempt.budget) +
			 " to answer");
	}
	_flight = flight;
}

/// The request is at the server; or where a server ought to be.
void Stage::arrive()
{
	auto& flight = *_flight;
	flight.arrival = Instant::max();
	const auto* spell = disturbance();
	const auto fault = spell == nullptr ? std::nullopt : std::optional(spell->fault);
	const bool renews = flight.attempt.operation == Operation::renew;
	if (fault == Fault::hanging || (fault == Fault::frozenLeader && renews)) {
		flight.end = flight.deadline;
		flight.replyLost = true;
		return;
	}
	if (fault == Fault::frozen) {
		// Whoever has gone by then is not answered, and the server notices before it renews.
		flight.end = std::min(flight.deadline, spell->to + (flight.end - _now));
		if (spell->to < flight.deadline) {
			flight.arrival = std::max(spell->to, _now + 1us);
		}
		return;
	}
	if (fault == Fault::replyLost) {
		flight.end = flight.deadline;
		flight.replyLost = true;
	}
	auto answer = serve(flight);
	flight.served = _now;
	flight.endThen = _vault.end();
	const bool granted = std::holds_alternative<Grant>(answer) || std::holds_alternative<WrappedGrant>(answer);
	if (granted && flight.sent < _toldEnd) {
		_hopedEnd = _vault.end();
	}
	if (!flight.replyLost) {
		flight.answer = std::move(answer);
	}
}

Answer Stage::serve(const Flight& flight)
{
	const auto operation = flight.attempt.operation;
	if (const auto* spell = disturbance()) {
		if (auto instead = answerInstead(spell->fault, operation, _vault.alive(_now), spell->to - _now)) {
			return *std::move(instead);
		}
		if (spell->fault == Fault::wrapped && operation == Operation::renew) {
			auto answer = atServer(flight);
			return std::holds_alternative<Grant>(answer) ? Answer(WrappedGrant{}) : answer;
		}
	}
	return atServer(flight);
}

Answer Stage::atServer(const Flight& flight)
{
	if (flight.attempt.operation == Operation::lookUp) {
		return _vault.lookUp(_now);
	}
	_deathNoted = _deathNoted && !_vault.alive(_now);
	return _vault.renew(_now, flight.attempt.increment);
}

void Stage::deliver()
{
	const auto flight = *_flight;
	_flight.reset();
	auto& exchange = _chronicle.exchanges[flight.exchange];
	exchange.ended = _now;
	const auto* trouble = flight.answer ? std::get_if<Verdict>(&*flight.answer) : nullptr;
	exchange.answered = flight.answer && !(trouble != nullptr && trouble->unsent);
	if (!_running || flight.life != _chronicle.lives) {
		// The renewer was stopped or has another token by now: what it hears must leave it cold.
		const auto before = _renewer.snapshot();
		if (!_renewer.answered({flight.sent, {}}, moment(), flight.answer.value_or(Verdict{})).empty() && !_running) {
			_chronicle.broken.emplace_back("stop: an answer that came after stop was reported");
		}
		if (!_running && (_renewer.next() || _renewer.snapshot().state != before.state)) {
			_chronicle.broken.emplace_back("stop: an answer that came after stop had an effect");
		}
		return;
	}
	Verdict tooLong;
	tooLong.kind = Verdict::Kind::transport;
	tooLong.reason = Reason::timeout;
	tooLong.detail = "no answer in time";
	const Answer answer = flight.answer.value_or(Answer(tooLong));
	bool wallShown = false;
	std::string words;
	if (const auto* grant = std::get_if<Grant>(&answer)) {
		exchange.extended = true;
		_toldLease = grant->lease;
		_wrapped = false;
		hearOfEnd(flight);
		wallShown = grant->capWarning;
		words = "renewed for " + inWords(grant->lease) + (grant->capWarning ? ", capped" : "");
	}
	else if (const auto* facts = std::get_if<TokenFacts>(&answer)) {
		if (_toldLease == Duration::zero()) {
			_toldLease = facts->period > 0s ? facts->period : facts->creationTtl;
		}
		if (std::exchange(_wrapped, false)) {
			_toldLease = std::min(_toldLease, std::max<Duration>(facts->ttl, 1s));
		}
		hearOfEnd(flight);
		wallShown = facts->explicitMaxTtl > 0s && facts->expires;
		words = "looked up: " + (facts->expires ? inWords(facts->ttl) + " left" : std::string("never ends"));
	}
	else if (const auto* verdict = std::get_if<Verdict>(&answer)) {
		exchange.failed = true;
		exchange.disowned = verdict->kind == Verdict::Kind::refused || verdict->kind == Verdict::Kind::gone;
		exchange.refused = verdict->kind == Verdict::Kind::refused || verdict->kind == Verdict::Kind::denied;
		words = verdict->detail;
	}
	else {
		_wrapped = true;
		words = "wrapped";
	}
	if (_timeline != nullptr) {
		tell("answer after " + inWords(_now - flight.sent) + ": " + words);
	}
	const auto sent = Moment{flight.sent, WallTime(flight.sent.time_since_epoch()) + _skew};
	record(_renewer.answered(sent, moment(), answer), true, wallShown);
	if (std::exchange(_replaceDue, false)) {
		replaceCredential();
	}
}

/// An answer has told the renewer when the token ends.
void Stage::hearOfEnd(const Flight& flight)
{
	_watchedSince = std::min(_watchedSince, _now);
	_uncertainty = std::max(_uncertainty, _now - flight.sent);
	_hopedEnd = flight.endThen;
	if (_toldEnd != flight.endThen) {
		_toldEnd = flight.endThen;
		_toldSince = _now;
	}
	// Look-ups tell whole seconds: of a short lease too little.
	if (flight.attempt.operation == Operation::renew && _shortenedAt <= flight.served) {
		_shortened = false;
	}
}

} // namespace issuer::simulation
