#include "world_player.h"

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
using vault::renewal::Token;
using vault::renewal::TokenFacts;
using vault::renewal::WrappedGrant;
using AnswerTrouble = vault::renewal::Trouble;

void WorldPlayer::send()
{
	checkSilence();
	_lastAsked = _now;
	forgetPlan();
	const auto state = _renewer.snapshot().state;
	const auto attempt = _renewer.attempt(moment());
	const bool ofCandidate = attempt.token == Token::candidate;
	if (ofCandidate && !_candidate) {
		_chronicle.broken.emplace_back("silent: a candidate is asked about, and there is none");
		_running = false;
		return;
	}
	const auto& token = ofCandidate ? *_candidate : _current;
	Exchange exchange;
	exchange.sent = _now;
	exchange.ended = _now;
	exchange.operation = attempt.operation;
	exchange.tokenAlive = token.vault.alive(_now);
	exchange.toldLease = token.toldLease;
	const bool endKnown = token.toldLease > Duration::zero() && token.toldEnd != Instant::max();
	exchange.remaining = endKnown ? token.toldEnd - _now : Duration::max();
	exchange.stateBefore = state;
	exchange.life = token.life;
	exchange.ofCandidate = ofCandidate;
	exchange.afterLast = token.last;
	const auto* trouble = disturbance(attempt.operation);
	exchange.duringOutage = trouble != nullptr && preventsRenewal(trouble->fault);
	_chronicle.exchanges.push_back(exchange);

	if (!_haveToken) {
		record(_renewer.credentialUnreadable(moment(), false), false, false);
		tell("no request: the credential source gives no token");
		checkArmed("an attempt without a token");
		return;
	}
	if (spellOf(Fault::runsFail) != nullptr && upTo(1us) == 0us) {
		interrupt(_chronicle.exchanges.back(), "before it sends");
		return;
	}
	const auto roundTrip = _world.network.latency + upTo(_world.network.jitter);
	Flight flight{};
	flight.sent = _now;
	flight.arrival = _now + roundTrip / 2;
	flight.deadline = _now + attempt.budget;
	flight.end = _now + roundTrip;
	flight.attempt = attempt;
	flight.exchange = _chronicle.exchanges.size() - 1;
	flight.life = token.life;
	if (_router) {
		flight.arrival = Instant::max();
		flight.end = Instant::max();
		_journey.emplace(_network, *_router, roundTrip, _now, flight.deadline);
		if (_timeline != nullptr) {
			_journey->tellStory();
		}
		tellOfSending(attempt);
		_flight = flight;
		return;
	}
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
	tellOfSending(attempt);
	_flight = flight;
}

void WorldPlayer::tellOfSending(const vault::renewal::Attempt& attempt)
{
	if (_timeline != nullptr) {
		tell(std::string(attempt.operation == Operation::renew ? "renew" : "look up") +
			 (attempt.token == Token::candidate ? " the candidate" : "") +
			 (attempt.increment ? " for " + inWords(*attempt.increment) : "") + ", " + inWords(attempt.budget) +
			 " to answer");
	}
}

/// The next step of a request on its way through the network.
void WorldPlayer::travel()
{
	const auto progress = _journey->proceed(_now, spellOf(Fault::refused) == nullptr);
	if (_timeline != nullptr) {
		if (const auto story = _journey->story(); !story.empty()) {
			tell("  " + story);
		}
	}
	auto& flight = *_flight;
	switch (progress) {
	case Journey::Progress::underway:
		return;
	case Journey::Progress::arrived:
		if (lost()) {
			_chronicle.exchanges[flight.exchange].mischance = true;
			_journey->staysSilent();
			return;
		}
		arrive();
		return;
	case Journey::Progress::answered:
		flight.answer = _journey->answer();
		break;
	case Journey::Progress::failed:
		checkWays(flight);
		if (_now < flight.deadline || _journey->unsent()) {
			AnswerTrouble broken;
			broken.kind = AnswerTrouble::Kind::transport;
			broken.reason = _now < flight.deadline ? Reason::network : Reason::timeout;
			broken.detail = "no way to the server";
			broken.unsent = _journey->unsent();
			flight.answer = broken;
		}
		break;
	}
	flight.end = _now;
	_journey.reset();
}

/// Lets an attempt continue by itself, to the next endpoint and from a kept connection to a new one, while the machine
/// is awake.
void WorldPlayer::checkWays(const Flight& flight)
{
	const bool slept = std::ranges::any_of(_spells, [&](const Spell& spell) {
		return spell.fault == Fault::asleep && spell.from <= _now && spell.to >= flight.sent;
	});
	if (!slept && _journey->spentOnKept()) {
		_chronicle.broken.emplace_back("dropped: an attempt that was spent on one kept connection");
	}
	// Where shares are shorter than a connect takes, some are never reached.
	const bool roomy = flight.attempt.budget >= _world.topology.endpoints * Duration(500ms) + _world.topology.resolving;
	if (!slept && roomy && _journey->leftAWayUntried(_now)) {
		_chronicle.broken.push_back("dropped: an attempt that left a way untried, at " + inWords(_now - _start));
	}
}

/// Nothing comes back.
void WorldPlayer::loseReply(Flight& flight)
{
	if (_journey) {
		_journey->staysSilent();
		return;
	}
	flight.end = flight.deadline;
	flight.replyLost = true;
}

/// The owner's run has thrown, and no answer will reach the renewer.
void WorldPlayer::interrupt(Exchange& exchange, const std::string& where)
{
	exchange.interrupted = true;
	tell("the owner's run fails " + where);
	_renewer.interrupted(moment());
	checkArmed("a failed run");
}

/// The request is at the server; or where a server ought to be.
void WorldPlayer::arrive()
{
	auto& flight = *_flight;
	flight.arrival = Instant::max();
	const auto* spell = disturbance(flight.attempt.operation);
	const auto meets = [&](Fault fault) { return spell != nullptr && spell->fault == fault; };
	const bool renews = flight.attempt.operation == Operation::renew;
	if (meets(Fault::hanging) || (meets(Fault::frozenLeader) && renews)) {
		loseReply(flight);
		return;
	}
	if (meets(Fault::frozen) && _journey) {
		_journey->arrivesAt(std::max(spell->to, _now + 1us));
		return;
	}
	if (meets(Fault::frozen)) {
		// A request whose client has gone by then is not answered, and the server notices before it renews.
		flight.end = std::min(flight.deadline, spell->to + (flight.end - _now));
		if (spell->to < flight.deadline) {
			flight.arrival = std::max(spell->to, _now + 1us);
		}
		return;
	}
	auto* const held = tokenOf(flight.life);
	auto& token = held == nullptr ? _current : *held; // a begin has given it another number since
	const auto endBefore = token.vault.end();
	auto answer = serve(flight, token);
	flight.served = _now;
	flight.endThen = token.vault.end();
	const bool granted = flight.endThen != endBefore; // an answer that speaks of a grant may come from elsewhere
	if (granted && flight.sent < token.toldEnd) {
		// A rival's increment may have made the lease longer than any answer told: no renewer can count on that.
		const auto told = std::max(token.toldLease, flight.attempt.increment.value_or(Duration::zero()));
		token.hopedEnd = told > Duration::zero() ? std::min(token.vault.end(), _now + told) : token.vault.end();
	}
	const bool mischance = _journey && lost();
	if (mischance) {
		_chronicle.exchanges[flight.exchange].mischance = true;
	}
	if (meets(Fault::replyLost) || mischance) {
		loseReply(flight);
	}
	else if (_journey) {
		const bool good = isGoodReply(answer);
		_journey->replies(std::move(answer), good, _now);
	}
	else if (!flight.replyLost) {
		flight.answer = std::move(answer);
	}
}

Answer WorldPlayer::serve(const Flight& flight, HeldToken& token)
{
	const auto operation = flight.attempt.operation;
	const auto* spell = disturbance(operation);
	if (spell == nullptr) {
		return atServer(flight, token);
	}
	const bool accepted = token.accepted(_now) && token.vault.alive(_now);
	if (auto instead = answerInstead(spell->fault, operation, accepted, spell->to - _now)) {
		return *std::move(instead);
	}
	auto answer = atServer(flight, token);
	if (auto* grant = std::get_if<Grant>(&answer)) {
		if (spell->fault == Fault::wrapped) {
			return WrappedGrant{};
		}
		grant->renewable = spell->fault != Fault::lastRenewal;
	}
	return answer;
}

Answer WorldPlayer::atServer(const Flight& flight, HeldToken& token)
{
	if (!token.accepted(_now)) {
		return AnswerTrouble{AnswerTrouble::Kind::refused, Reason::refused, {}, "permission denied, invalid token"};
	}
	if (flight.attempt.operation == Operation::lookUp) {
		return token.vault.lookUp(_now);
	}
	token.deathNoted = token.deathNoted && !token.vault.alive(_now);
	return token.vault.renew(_now, flight.attempt.increment);
}

void WorldPlayer::deliver()
{
	const auto flight = *_flight;
	_flight.reset();
	auto& exchange = _chronicle.exchanges[flight.exchange];
	exchange.ended = _now;
	const auto* trouble = flight.answer ? std::get_if<AnswerTrouble>(&*flight.answer) : nullptr;
	exchange.answered = flight.answer && !(trouble != nullptr && trouble->kind == AnswerTrouble::Kind::transport);
	auto* const token = tokenOf(flight.life);
	if (!_running || token == nullptr) {
		// The renewer was stopped or has another token by now: this answer must have no effect.
		exchange.interrupted = true;
		const auto before = _renewer.snapshot();
		if (!_renewer.answered({flight.sent, {}}, moment(), flight.answer.value_or(AnswerTrouble{})).empty() &&
			!_running) {
			_chronicle.broken.emplace_back("stop: an answer that came after stop was reported");
		}
		if (!_running && (_renewer.next() || _renewer.snapshot().state != before.state)) {
			_chronicle.broken.emplace_back("stop: an answer that came after stop had an effect");
		}
		return;
	}
	if (spellOf(Fault::runsFail) != nullptr) {
		interrupt(exchange, "with an answer in its hands");
		return;
	}
	AnswerTrouble tooLong;
	tooLong.kind = AnswerTrouble::Kind::transport;
	tooLong.reason = Reason::timeout;
	tooLong.detail = "no answer in time";
	const Answer answer = flight.answer.value_or(Answer(tooLong));
	bool wallShown = false;
	const auto words = hear(*token, flight, answer, wallShown);
	if (_timeline != nullptr) {
		tell("answer after " + inWords(_now - flight.sent) + ": " + words);
	}
	const auto sent = Moment{flight.sent, WallTime(flight.sent.time_since_epoch()) + _skew};
	const bool currentKept = !thinksDead();
	const auto reports = _renewer.answered(sent, moment(), answer);
	if (_candidate && !_renewer.hasCandidate()) {
		if (exchange.ofCandidate && exchange.disowned && currentKept && _current.vault.alive(_now)) {
			_chronicle.broken.emplace_back("dropped: a token that lives, for one that the server refuses");
		}
		adopt();
	}
	const bool ofCurrent = flight.life == _current.life;
	record(reports, ofCurrent, ofCurrent && wallShown);
	checkArmed("an answer");
	const bool well = std::holds_alternative<Grant>(answer) || std::holds_alternative<TokenFacts>(answer);
	if (ofCurrent && !_candidate && well && !exchange.failed) {
		checkPunctual(flight);
	}
}

/// Enters the answer's information about the token's end into the chronicle. Returns it in words.
std::string WorldPlayer::hear(HeldToken& token, const Flight& flight, const Answer& answer, bool& wallShown)
{
	auto& exchange = _chronicle.exchanges[flight.exchange];
	const auto* grant = std::get_if<Grant>(&answer);
	const auto* looked = std::get_if<TokenFacts>(&answer);
	constexpr Duration absurd = std::chrono::years(10);
	if ((grant != nullptr && grant->lease > absurd) || (looked != nullptr && looked->ttl > absurd)) {
		exchange.failed = true;
		return "a lease of centuries";
	}
	if (grant != nullptr) {
		exchange.extended = true;
		exchange.granted = grant->lease;
		token.toldLease = grant->lease;
		token.wrapped = false;
		token.last = token.last || !grant->renewable;
		hearOfEnd(token, flight);
		wallShown = grant->capWarning;
		return "renewed for " + inWords(grant->lease) + (grant->capWarning ? ", capped" : "") +
			   (grant->renewable ? "" : ", for the last time");
	}
	if (const auto* facts = looked) {
		if (token.toldLease == Duration::zero()) {
			token.toldLease = facts->period > 0s ? facts->period : facts->creationTtl;
		}
		if (std::exchange(token.wrapped, false)) {
			token.toldLease = std::min(token.toldLease, std::max<Duration>(facts->ttl, 1s));
		}
		hearOfEnd(token, flight);
		wallShown = facts->explicitMaxTtl > 0s && facts->expires;
		return "looked up: " + (facts->expires ? inWords(facts->ttl) + " left" : std::string("never ends"));
	}
	if (const auto* verdict = std::get_if<AnswerTrouble>(&answer)) {
		exchange.failed = true;
		exchange.retryAfter = verdict->retryAfter;
		exchange.disowned = verdict->kind == AnswerTrouble::Kind::refused || verdict->kind == AnswerTrouble::Kind::gone;
		exchange.refused =
			verdict->kind == AnswerTrouble::Kind::refused || verdict->kind == AnswerTrouble::Kind::denied;
		return verdict->detail;
	}
	token.wrapped = true;
	return "wrapped";
}

/// An answer has told the renewer when the token ends.
void WorldPlayer::hearOfEnd(HeldToken& token, const Flight& flight)
{
	token.watchedSince = std::min(token.watchedSince, _now);
	token.uncertainty = std::max(token.uncertainty, _now - flight.sent);
	token.hopedEnd = flight.endThen;
	if (token.toldEnd != flight.endThen) {
		token.toldEnd = flight.endThen;
		token.toldSince = _now;
	}
	// Look-ups tell whole seconds: of a short lease too little.
	if (flight.attempt.operation == Operation::renew && token.shortenedAt <= flight.served) {
		token.shortened = false;
	}
}

} // namespace issuer::simulation
