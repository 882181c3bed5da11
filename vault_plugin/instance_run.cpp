#include "instance.h"

#include "wire/token_maker.h"
#include "wire/wire.h"

/// A run of an instance, on a worker thread: its request, its reports, and the time of the next run.
namespace issuer::vault {

using namespace std::chrono_literals;
using renewal::Level;

namespace {

/// Pause before the next run after a run that failed, and while nothing is known of the token.
constexpr auto pauseAfterFailure = 1s;

/// Most reports that wait for a callback that blocks.
constexpr int mostUntold = 1000;

/// Returns whether the token is in trouble or dead, so that another is looked for every 2 s.
bool needsAnotherToken(renewal::State state)
{
	switch (state) {
	case renewal::State::starting:
	case renewal::State::retrying:
	case renewal::State::denied:
	case renewal::State::expired:
		return true;
	case renewal::State::stopped:
	case renewal::State::active:
	case renewal::State::capped:
	case renewal::State::notRenewable:
	case renewal::State::noExpiry:
		return false;
	}
	return true; // unreachable: the switch names every state
}

} // namespace

std::optional<Wait> Instance::run(Wake wake) noexcept
{
	try {
		return advance(_run, wake, [this] { return runOnce(); });
	}
	catch (...) {
		// Out of memory, most likely. The token still has to be kept alive: the next run comes soon, and nothing is
		// logged, which would need more memory. A wait needs no memory; arming might.
		_run = {};
		const std::lock_guard lock(_mutex);
		if (!_armable) {
			return std::nullopt;
		}
		_keeper.replan(_services->clock().now());
		return Wait{-1, 0, pauseAfterFailure};
	}
}

Task<> Instance::runOnce()
{
	deliver();
	Moment sent;
	if (const auto attempt = takeAttempt(sent)) {
		std::string objection;
		const auto answer = co_await exchange(*attempt, objection);
		if (objection.empty()) {
			answered(sent, answer);
		}
		else {
			disown(objection);
		}
	}
	deliver();
	planNext();
}

/// Returns the next request, if one is due with the credential as it is. `now`: the moment for which that was decided.
std::optional<renewal::Attempt> Instance::takeAttempt(Moment& now)
{
	std::unique_lock lock(_mutex);
	if (!_armable) {
		return std::nullopt;
	}
	_newsRead = false;
	const bool look = std::exchange(_rereadToken, false);
	lock.unlock();
	const auto update = takeNews(look);

	lock.lock();
	now = _services->clock().now();
	if (!_begun && _inheritance && !_token.isRead() && _token.trouble().empty() && !_login) {
		return std::nullopt; // the token of the life that was handed over is about to be read
	}
	if (!_begun || (_inheritance && _token.isRead())) {
		beginLife(now);
	}
	else if (update.kind == credential::Source::Update::Kind::first && (update.recovered || _login)) {
		report(_keeper.candidateFound(now)); // the first token: it is asked about at once
	}
	follow(update, now);
	if (std::exchange(_renewNow, false)) {
		_keeper.renewNow(now);
		if (_login) {
			_login->renewNow(now);
		}
	}
	followLogin(now);
	const auto next = _keeper.next();
	if (!next || *next > now.boot || (!hasTokenToAskAbout() && _token.trouble().empty())) {
		return std::nullopt;
	}
	const auto attempt = _keeper.attempt(now);
	if (!hasTokenToAskAbout()) {
		report(_keeper.credentialUnreadable(now, false, _token.trouble()));
		return std::nullopt;
	}
	return attempt;
}

/// Takes the source's news, without the instance's lock, since the reader has one of its own. `look`: the host says
/// that there is a new token.
credential::Source::Update Instance::takeNews(bool look)
{
	if (look) {
		_token.lookNow();
	}
	if (_login) {
		if (look) {
			_login->credentialChanged();
		}
		takeFromLogin();
	}
	auto update = _token.update();
	if (!update.note.empty()) {
		say(Level::info, "credential",
			"changes of " + _token.describe() + " are noticed within 30 s, not at once: " + update.note);
	}
	if (update.recovered) {
		say(Level::info, "credential", _token.describe() + " can be read again");
	}
	return update;
}

/// Tells the keeper the change of the token's source.
void Instance::follow(const credential::Source::Update& update, const Moment& now)
{
	using Kind = credential::Source::Update::Kind;
	// Compared rather than taken from the update alone: a run that failed may have left source and keeper apart.
	if (!_token.candidate().empty() && (update.kind == Kind::candidate || !_keeper.hasCandidate())) {
		auto reports = _login ? _keeper.candidateFound(now, _login->firstGrant()) : _keeper.candidateFound(now);
		if (!_keeper.hasCandidate()) {
			adoptCandidate(now);
		}
		report(std::move(reports));
	}
	else if (_token.candidate().empty() && _keeper.hasCandidate()) {
		report(_keeper.candidateGone(now));
	}
	if (!update.trouble.empty() && _token.isRead()) {
		report(_keeper.credentialUnreadable(now, true, update.trouble));
	}
}

void Instance::answered(const Moment& sent, const renewal::Answer& answer)
{
	const auto now = _services->clock().now(); // without the lock: the services stay while a run is under way
	const std::lock_guard lock(_mutex);
	const auto adoptIfAccepted = [&] {
		if (!_token.candidate().empty() && !_keeper.hasCandidate()) {
			adoptCandidate(now);
		}
	};
	try {
		auto reports = _keeper.answered(sent, now, answer);
		adoptIfAccepted();
		report(std::move(reports));
		if (_login && _keeper.life().candidateRefused) {
			const auto* const trouble = std::get_if<renewal::Trouble>(&answer);
			report(_keeper.candidateGone(now));
			_token.dropCandidate();
			_login->unproven(now, trouble != nullptr ? std::string_view(trouble->detail) : std::string_view());
		}
		followLogin(now);
	}
	catch (...) {
		adoptIfAccepted(); // also when its report could not be written
		throw;
	}
}

/// Drops the sink's token, which is not ours, and begins anew without one.
void Instance::disown(const std::string& objection)
{
	const auto now = _services->clock().now();
	const std::lock_guard lock(_mutex);
	_token.drop();
	_login->disowned(objection);
	static_cast<void>(_keeper.stopped(now));
	report(_keeper.begin(now, false));
	followLogin(now);
}

/// Puts the token in use that the server has accepted.
void Instance::adoptCandidate(const Moment& now)
{
	auto before = _token.adopt();
	if (_login) {
		_login->adopted(now, std::move(before));
	}
}

/// Takes the token that the login has for the source.
void Instance::takeFromLogin()
{
	if (auto first = _login->takeFirst(); !first.empty()) {
		_token.offer(std::move(first));
	}
	if (auto fresh = _login->takeFresh(); !fresh.empty()) {
		_token.setCandidate(std::move(fresh));
	}
}

/// Tells both keepers of each other's facts: what the token in use is like, and where the next one comes from.
void Instance::followLogin(const Moment& now)
{
	if (_login) {
		_login->follow(now, _keeper.life());
		report(_login->takeReports());
		report(_keeper.followedBy(now, _login->successor()));
	}
}

/// Returns whether there is a token to ask the server about.
bool Instance::hasTokenToAskAbout() const
{
	return _token.isRead() || !_token.candidate().empty();
}

/// Returns whether it is known how the start has gone.
bool Instance::isSettled() const
{
	return _login ? _login->settled() && (!_token.isRead() || _keeper.settled()) : _keeper.settled();
}

/// `objection`: is set to the reason why the token must not be used, although it lives.
Task<renewal::Answer> Instance::exchange(const renewal::Attempt& attempt, std::string& objection)
{
	try {
		const auto secret = attempt.token == renewal::Token::candidate ? _token.candidate().share() : _token.current();
		const auto token = secret.view();
		const auto request = attempt.operation == renewal::Operation::lookUp
								 ? wire::lookUpSelf(token, _config->vaultNamespace)
								 : wire::renewSelf(token, _config->vaultNamespace, attempt.increment);
		auto reply = co_await _exchange->carry(request, std::chrono::steady_clock::now() + attempt.budget);
		if (!reply) {
			co_return wire::classify(reply.error());
		}
		passOn(reply->advice);
		auto answer = wire::classify(attempt.operation, *reply, token);
		if (_login && std::holds_alternative<renewal::TokenFacts>(answer)) {
			objection = _login->objectionTo(wire::makerIn(*reply));
		}
		co_return answer;
	}
	catch (const std::exception& error) {
		co_return renewal::Trouble{renewal::Trouble::Kind::transport, renewal::Reason::none, std::nullopt,
			std::string("the request was given up, for a lack of memory or a defect: ") + error.what()};
	}
}

void Instance::passOn(const std::vector<std::string>& advice) noexcept
{
	if (_advice ? advice == *_advice : advice.empty()) {
		return;
	}
	try {
		_advice = std::make_unique<std::vector<std::string>>(advice);
		for (const auto& line : advice) {
			say(Level::warn, "tls", line);
		}
	}
	catch (const std::exception&) {
		_advice.reset(); // out of memory: passed on with the next reply
	}
}

/// Queues a log line, in order with the events.
void Instance::say(Level level, std::string_view component, std::string text)
{
	const std::lock_guard lock(_mutex);
	report({renewal::Note{level, std::move(text), component}});
}

void Instance::report(renewal::Reports reports)
{
	if (_outbox.empty()) {
		_outbox = std::move(reports);
		return;
	}
	if (_outbox.size() >= std::size_t{mostUntold}) { // a callback has blocked for hours: the newest reports matter most
		_outbox.erase(_outbox.begin(), _outbox.begin() + mostUntold / 2);
	}
	std::move(reports.begin(), reports.end(), std::back_inserter(_outbox));
}

/// Makes the pending callbacks: here, or on a helper if callbacks hold up too many workers.
void Instance::deliver()
{
	{
		const std::lock_guard lock(_mutex);
		if (_outbox.empty() || _delivery) {
			return; // or a helper is making them
		}
	}
	auto& callbacks = _services->callbacks();
	if (callbacks.enter()) {
		tellAll();
		callbacks.leave();
		return;
	}
	const auto delivery = std::make_shared<Delivery>([this] { tellUntilAllIsTold(); });
	{
		const std::lock_guard lock(_mutex);
		_delivery = delivery;
	}
	bool taken = false;
	try {
		taken = callbacks.elsewhere([delivery] { delivery->run(); });
	}
	catch (const std::exception&) {
		// Out of memory: told with the next run.
	}
	if (!taken) {
		const std::lock_guard lock(_mutex);
		_delivery.reset();
	}
}

void Instance::tellUntilAllIsTold() noexcept
{
	while (true) {
		tellAll();
		const std::lock_guard lock(_mutex);
		if (_outbox.empty()) {
			_delivery.reset(); // from now on the run makes the callbacks again
			return;
		}
	}
}

void Instance::tellAll() noexcept
{
	std::unique_lock lock(_mutex);
	const auto reports = std::exchange(_outbox, {});
	for (const auto& report : reports) {
		if (const auto* event = std::get_if<renewal::Event>(&report);
			_start && event && event->outcome == renewal::Outcome::failure) {
			try {
				_start->trouble = event->detail;
			}
			catch (const std::exception&) {
				// Out of memory: the line is dropped, as the events matter more.
			}
		}
	}
	lock.unlock();
	for (const auto& report : reports) {
		if (const auto* event = std::get_if<renewal::Event>(&report)) {
			_listener.event(*event);
		}
		else if (const auto* note = std::get_if<renewal::Note>(&report)) {
			_listener.log(note->level, note->component, note->text);
		}
	}
}

/// Ends the delivery by a helper. Called while no run is under way. Returns false if the helper is still inside a
/// callback.
bool Instance::endDelivery(std::chrono::milliseconds timeout)
{
	std::unique_lock lock(_mutex);
	const auto delivery = _delivery;
	lock.unlock();
	if (delivery && !delivery->leave(timeout)) {
		return false;
	}
	lock.lock();
	_delivery.reset();
	return true;
}

void Instance::planNext()
{
	std::unique_lock lock(_mutex);
	const auto state = _keeper.snapshot().state;
	const bool urgent = needsAnotherToken(state) || _keeper.hasCandidate();
	lock.unlock();
	_token.setUrgent(urgent);

	lock.lock();
	if (_start && !_start->settled && isSettled()) {
		_start->settled = true;
		_start->changed.notify_all();
	}
	if (!_armable) {
		return;
	}
	if (const auto next = whenNext()) {
		_services->scheduler().arm(*this, *next, _keeper.expiry().value_or(Instant::max()));
	}
}

std::optional<Instant> Instance::whenNext() const
{
	// A message that came during this run has armed the next one for now; that must not be undone.
	const bool messageLeft = _renewNow || _rereadToken || _newsRead;
	const auto now = _services->clock().boot();
	if (messageLeft) {
		return now;
	}
	if (_login && !hasTokenToAskAbout()) {
		return std::nullopt; // its news comes
	}
	if (!_begun || (!hasTokenToAskAbout() && _token.trouble().empty())) {
		return now + pauseAfterFailure; // the reader's news comes before that
	}
	return _keeper.next();
}

} // namespace issuer::vault
