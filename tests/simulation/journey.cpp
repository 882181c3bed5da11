#include "journey.h"

#include <algorithm>
#include <array>
#include <utility>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Reason;
using AnswerTrouble = vault::renewal::Trouble;

namespace {

Answer badAnswer(WayFault fault)
{
	AnswerTrouble verdict;
	verdict.kind = fault == WayFault::sealed ? AnswerTrouble::Kind::serverAway : AnswerTrouble::Kind::malformed;
	verdict.reason = fault == WayFault::sealed ? Reason::sealed : Reason::malformed;
	verdict.detail = fault == WayFault::sealed ? "Vault is sealed" : "a page";
	return verdict;
}

} // namespace

Journey::Journey(VirtualNetwork& network, Router& router, Duration roundTrip, Instant now, Instant deadline)
	: _network(network), _router(router), _roundTrip(roundTrip), _connecting(std::min<Duration>(roundTrip, 200ms)),
	  _deadline(deadline), _wake(now)
{
	_router.begin(deadline);
}

Journey::Progress Journey::proceed(Instant now, bool serverListens)
{
	switch (_phase) {
	case Phase::deciding:
		break;
	case Phase::resolving:
		hearResolver(now);
		break;
	case Phase::dialling:
		if (!watchCalls(now, serverListens)) {
			return Progress::underway;
		}
		break;
	case Phase::sent:
		if (now >= _arrival) {
			return reachServer(now, serverListens);
		}
		if (now >= _replyAt) {
			return hearReply(now);
		}
		if (const auto progress = waitInVain(now); progress != Progress::underway) {
			return progress;
		}
		break;
	case Phase::over:
		return Progress::failed;
	}
	return _phase == Phase::deciding ? decide(now, serverListens) : Progress::underway;
}

Journey::Progress Journey::decide(Instant now, bool serverListens)
{
	// Bounded, so that a router that goes in circles is noticed and not waited for.
	for (int turns = 0; turns < 100; ++turns) {
		const auto step = _router.next(now);
		if (const auto* reuse = std::get_if<Router::Reuse>(&step)) {
			if (const auto kept = _network.take(reuse->endpoint, now, _router.longestAge())) {
				send(*kept, true, std::min(now + reuse->patience, _deadline), now);
				return Progress::underway;
			}
			_router.nothingKept(reuse->endpoint);
		}
		else if (const auto* resolve = std::get_if<Router::Resolve>(&step)) {
			_phase = Phase::resolving;
			_resolved = _network.askResolver(now);
			_resolveUntil = resolve->until;
			_wake = std::max(std::min(_resolved, _resolveUntil), now);
			return Progress::underway;
		}
		else if (const auto* dial = std::get_if<Router::Dial>(&step)) {
			startDial(*dial, now, serverListens);
			return Progress::underway;
		}
		else {
			break;
		}
	}
	_phase = Phase::over;
	tell("no way is left");
	return Progress::failed;
}

void Journey::hearResolver(Instant now)
{
	_phase = Phase::deciding;
	if (_resolved > now) {
		tell("the resolver is slow");
		_router.resolverIsSlow(now);
		return;
	}
	const auto endpoints = _network.resolverAnswer(now);
	if (endpoints.empty()) {
		tell("the resolver fails");
		_router.resolverFailed(now);
		return;
	}
	closeIdle(_router.resolved(endpoints, now));
}

void Journey::startDial(const Router::Dial& dial, Instant now, bool serverListens)
{
	_phase = Phase::dialling;
	_dial = dial;
	_calls.clear();
	call(now, serverListens);
	static_cast<void>(watchCalls(now, serverListens));
}

/// Begins to connect to the next endpoint of the order.
void Journey::call(Instant now, bool serverListens)
{
	const auto endpoint = _dial->order[_calls.size()];
	auto fault = _network.faultOf(endpoint, now);
	if (!serverListens) {
		fault = WayFault::refuses;
	}
	tell("dials " + std::to_string(endpoint));
	_called = static_cast<Endpoints>(_called | 1U << static_cast<unsigned>(endpoint));
	const bool answers = fault != WayFault::dropsSyns;
	_calls.push_back(
		{endpoint, now, answers ? std::optional(now + _connecting) : std::nullopt, fault != WayFault::refuses, false});
}

/// Takes over the state of the connections that are being made. Returns true if none of them will succeed.
bool Journey::watchCalls(Instant now, bool serverListens)
{
	const auto givenUp = [&](const Call& call) {
		return now >= _dial->until || (_dial->each < Duration::max() && now >= call.began + _dial->each);
	};
	for (auto& call : _calls) {
		if (call.over) {
			continue;
		}
		if (call.result && now >= *call.result && call.connects) {
			const auto connection = _network.open(call.endpoint, now);
			send(connection, false, _deadline, now);
			return false;
		}
		if ((call.result && now >= *call.result) || givenUp(call)) {
			call.over = true;
			_router.dialFailed(call.endpoint, now);
		}
	}
	const auto pending = [&] { return std::ranges::any_of(_calls, [](const Call& call) { return !call.over; }); };
	const auto staggered = [&] {
		return _dial->stagger < Duration::max() && now >= _calls.back().began + _dial->stagger;
	};
	while (_calls.size() < _dial->order.size() && now < _dial->until && (!pending() || staggered())) {
		call(now, serverListens);
	}
	if (!pending()) {
		// Those that it never came to are dialled in vain as well, for all that the contract says.
		for (auto next = _calls.size(); next < _dial->order.size(); ++next) {
			_router.dialFailed(_dial->order[next], now);
		}
		_phase = Phase::deciding;
		return true;
	}
	_wake = _dial->until;
	for (const auto& call : _calls) {
		if (!call.over) {
			_wake = std::min(_wake, call.result.value_or(Instant::max()));
			_wake = _dial->each < Duration::max() ? std::min(_wake, call.began + _dial->each) : _wake;
		}
	}
	if (_calls.size() < _dial->order.size() && _dial->stagger < Duration::max()) {
		_wake = std::min(_wake, _calls.back().began + _dial->stagger);
	}
	return false;
}

void Journey::send(const VirtualNetwork::Connection& connection, bool kept, Instant patience, Instant now)
{
	tell((kept ? "asks over a kept connection to " : "asks over a new connection to ") +
		 std::to_string(connection.endpoint));
	_phase = Phase::sent;
	_sentBefore = _everSent;
	_connected = true;
	_connection = connection;
	_kept = kept;
	_sentAt = now;
	_arrival = now + _roundTrip / 2;
	_replyAt = Instant::max();
	_patience = patience;
	_wake = std::min(_arrival, _patience);
	_answer.reset();
}

Journey::Progress Journey::reachServer(Instant now, bool serverListens)
{
	_arrival = Instant::max();
	_wake = _patience;
	auto fault = _network.faultOf(*_connection, now);
	if (!serverListens) {
		fault = WayFault::refuses;
	}
	if (fault == WayFault::refuses) {
		return lose(now);
	}
	_everSent = true;
	if (!fault) {
		return Progress::arrived;
	}
	switch (*fault) {
	case WayFault::refuses:
	case WayFault::dropsSyns:
	case WayFault::silent:
		break;
	case WayFault::sealed:
	case WayFault::page:
		replies(badAnswer(*fault), false, now);
		break;
	}
	return Progress::underway;
}

/// The connection was reset before a byte of a reply came.
Journey::Progress Journey::lose(Instant now)
{
	const bool kept = _kept;
	const int endpoint = std::exchange(_connection, std::nullopt)->endpoint;
	tell("the connection is reset");
	if (kept) {
		_router.keptClosed();
		_phase = Phase::deciding;
		_wake = now;
		return Progress::underway;
	}
	_everSent = true;
	if (_router.badReply(endpoint, now)) {
		_network.closeIdle(endpoint);
	}
	_phase = Phase::over;
	return Progress::failed;
}

void Journey::replies(Answer answer, bool good, Instant sentBack)
{
	_answer = std::move(answer);
	if (auto* const trouble = std::get_if<AnswerTrouble>(&*_answer)) {
		trouble->sentBefore = _sentBefore;
	}
	_good = good;
	_replyAt = sentBack + (_roundTrip - _roundTrip / 2);
	_wake = std::min(_replyAt, _patience);
}

void Journey::arrivesAt(Instant at)
{
	_arrival = at;
	_wake = std::min(_arrival, _patience);
}

void Journey::staysSilent()
{
	_wake = _patience;
}

Journey::Progress Journey::hearReply(Instant now)
{
	auto connection = *std::exchange(_connection, std::nullopt);
	bool closes = false;
	if (_good) {
		_router.goodReply(connection.endpoint, now - _sentAt, now);
	}
	else {
		closes = _router.badReply(connection.endpoint, now);
	}
	if (closes) {
		_network.closeIdle(connection.endpoint);
	}
	else {
		_network.keep(connection, now);
	}
	_phase = Phase::over;
	return Progress::answered;
}

/// Closes the connection, as no reply has come in time: a later one is not read.
Journey::Progress Journey::waitInVain(Instant now)
{
	const int endpoint = std::exchange(_connection, std::nullopt)->endpoint;
	_answer.reset();
	const bool closes = _kept ? _router.keptSilent(endpoint, now) : _router.badReply(endpoint, now);
	if (closes) {
		_network.closeIdle(endpoint);
	}
	_spentOnKept = _kept && now >= _deadline;
	if (_kept && now < _deadline) {
		tell("the kept connection is silent");
		_phase = Phase::deciding;
		return Progress::underway;
	}
	_phase = Phase::over;
	return Progress::failed;
}

bool Journey::leftAWayUntried(Instant now) const
{
	return !_connected && _network.knowsAnother(_called, now);
}

void Journey::breakConnection(WayFault how)
{
	if (_connection) {
		_connection->broken = how;
	}
}

void Journey::closeIdle(const std::vector<int>& endpoints)
{
	for (const auto endpoint : endpoints) {
		_network.closeIdle(endpoint);
	}
}

void Journey::tell(const std::string& what)
{
	if (_storyWanted) {
		_story += (_story.empty() ? "" : "; ") + what;
	}
}

} // namespace issuer::simulation
