#include "instance.h"

#include "vault/wire.h"

/// A run of an instance, on the workers' threads: what it asks, what it tells, and when it runs next.
namespace issuer::vault {

using namespace std::chrono_literals;
using renewal::Level;

std::optional<Wait> Instance::run(Wake wake) noexcept
{
	try {
		if (!_run) {
			_run = runOnce();
		}
		if (const auto wait = _run.resume(wake)) {
			return wait;
		}
		std::exchange(_run, {}).take();
	}
	catch (...) {
		// Out of memory, most likely. The life at stake goes on: try again soon, and do not make it worse by talking.
		_run = {};
		const std::lock_guard lock(_mutex);
		if (_armable) {
			const auto now = _services->clock().now();
			_keeper.replan(now);
			_services->scheduler().arm(*this, now.boot + 1s, _keeper.expiry().value_or(now.boot));
		}
	}
	return std::nullopt;
}

Task<> Instance::runOnce()
{
	deliver();
	Moment sent;
	if (const auto attempt = takeAttempt(sent)) {
		const auto answer = co_await exchange(*attempt);
		const auto answered = _services->clock().now(); // unguarded: while a run is under way, nobody takes them away
		const std::lock_guard lock(_mutex);
		report(_keeper.answered(sent, answered, answer));
	}
	deliver();
	planNext();
}

/// What to ask, if anything, with the credential as it is; and for which moment that was decided.
std::optional<renewal::Attempt> Instance::takeAttempt(Moment& now)
{
	std::unique_lock lock(_mutex);
	const auto isDue = [&] {
		const auto next = _keeper.next();
		return next && *next <= now.boot;
	};
	if (!_armable) {
		return std::nullopt;
	}
	now = _services->clock().now();
	if (std::exchange(_renewNow, false)) {
		_keeper.renewNow(now);
	}
	const bool told = std::exchange(_rereadToken, false);
	if (!told && !isDue()) {
		return std::nullopt;
	}
	lock.unlock();

	std::unique_lock tokenLock(_tokenMutex);
	const auto read = _token.refresh();
	const bool haveToken = !_token.token().empty();
	tokenLock.unlock();

	lock.lock();
	now = _services->clock().now(); // to read a file may take its time
	if (read && *read == credential::Source::Change::replaced) {
		report(_keeper.candidateFound(now));
	}
	std::optional<renewal::Attempt> attempt;
	if (isDue()) {
		attempt = _keeper.attempt(now);
	}
	if (!read && (attempt || haveToken)) {
		report(_keeper.credentialUnreadable(now, haveToken, read.error().text));
	}
	return haveToken ? attempt : std::nullopt;
}

Task<renewal::Answer> Instance::exchange(const renewal::Attempt& attempt)
{
	try {
		// The token is replaced by this run only, so it may be borrowed for the whole exchange.
		const auto token = _token.token().view();
		const auto request = attempt.operation == renewal::Operation::lookUp
								 ? wire::lookUpSelf(token, _config->vaultNamespace)
								 : wire::renewSelf(token, _config->vaultNamespace, attempt.increment);
		auto reply = co_await _exchange->carry(request, std::chrono::steady_clock::now() + attempt.budget);
		if (!reply) {
			co_return wire::classify(reply.error());
		}
		passOn(reply->advice);
		co_return wire::classify(attempt.operation, *reply, token);
	}
	catch (const std::exception& error) {
		co_return renewal::Trouble{renewal::Trouble::Kind::transport, renewal::Reason::none, std::nullopt,
			std::string("a defect or a lack of memory kept the request from being sent: ") + error.what()};
	}
}

void Instance::passOn(const std::vector<std::string>& advice)
{
	if (advice == _advice) {
		return;
	}
	_advice = advice;
	for (const auto& line : advice) {
		_listener.log(Level::warn, "tls", line);
	}
}

void Instance::report(renewal::Reports reports)
{
	if (_outbox.empty()) {
		_outbox = std::move(reports);
	}
	else {
		std::move(reports.begin(), reports.end(), std::back_inserter(_outbox));
	}
}

void Instance::deliver()
{
	std::unique_lock lock(_mutex);
	const auto reports = std::exchange(_outbox, {});
	for (const auto& report : reports) {
		if (const auto* event = std::get_if<renewal::Event>(&report);
			_start && event && event->outcome == renewal::Outcome::failure) {
			_start->trouble = event->detail;
		}
	}
	lock.unlock();
	for (const auto& report : reports) {
		if (const auto* event = std::get_if<renewal::Event>(&report)) {
			_listener.event(*event);
		}
		else if (const auto* note = std::get_if<renewal::Note>(&report)) {
			_listener.log(note->level, "events", note->text);
		}
	}
}

void Instance::planNext()
{
	const std::lock_guard lock(_mutex);
	if (_start && !_start->settled && _keeper.settled()) {
		_start->settled = true;
		_start->changed.notify_all();
	}
	if (!_armable) {
		return;
	}
	// A message that was left during this run has armed the next one for at once; that must not be taken back.
	const bool messageLeft = _renewNow || _rereadToken;
	const auto next = messageLeft ? _services->clock().boot() : _keeper.next();
	if (next) {
		_services->scheduler().arm(*this, *next, _keeper.expiry().value_or(Instant::max()));
	}
}

} // namespace issuer::vault
