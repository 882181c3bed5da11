#include "instance.h"

#include "credential/token_mark.h"
#include "diagnosis_login.h"
#include "handover.h"
#include "login_secrets.h"

#include <sys/random.h>

namespace issuer::vault {

using namespace std::chrono_literals;
using renewal::Level;

namespace {

/// Time that a start after a handover waits for the first read of the token. The host expects useCredential() to work
/// again at once. Short enough not to be noticed if the file system hangs.
constexpr auto handoverPatience = 20ms;

/// Returns a random seed, so that the keepers of a fleet do not decide alike.
std::uint64_t anySeed()
{
	std::uint64_t seed = 0;
	if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0) {
		seed = 0; // no randomness right after boot: the clock is used
	}
	return seed ^ static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

tl::unexpected<Refusal> refusal(Refusal::Kind kind, std::string text)
{
	return tl::unexpected(Refusal{kind, std::move(text)});
}

/// Returns whether the first answer showed a living token.
bool foundAlive(renewal::State state)
{
	return state != renewal::State::stopped && state != renewal::State::starting && state != renewal::State::expired;
}

} // namespace

Instance::Instance(std::shared_ptr<const CommonConfig> config, credential::Origin token,
	std::unique_ptr<LoginConfig> auth, Listener& listener, const ServicesSource& services)
	: _config(std::move(config)), _listener(listener), _source(services),
	  _login(auth ? std::make_unique<Login>(std::move(*auth), _config, anySeed()) : nullptr), _token(std::move(token)),
	  // the policy, for as long as the configuration it is part of
	  _keeper(std::shared_ptr<const renewal::Policy>(_config, &_config->renewal), anySeed())
{
}

Instance::Instance(Config config, Listener& listener, const ServicesSource& services)
	: Instance(std::make_shared<const CommonConfig>(config), std::move(config.token), std::move(config.auth), listener,
		  services)
{
}

Instance::~Instance()
{
	if (_login) {
		_login->revokeAtEnd(_source, _token.current());
	}
}

Done Instance::start()
{
	const auto deadline = std::chrono::steady_clock::now() + _config->startupTimeout;
	std::unique_lock lock(_mutex);
	switch (_phase) {
	case Phase::running:
		return {};
	case Phase::starting:
		return refusal(Refusal::Kind::state, "a start is under way");
	case Phase::stopping:
		return refusal(Refusal::Kind::state, "a stop has timed out: call stop again first");
	case Phase::idle:
		break;
	}
	const auto underWay = std::make_shared<Start>();
	_start = underWay;
	_phase = Phase::starting;
	_stopWanted = false;
	lock.unlock();

	try {
		auto begun = begin(_source(), deadline);
		lock.lock();
		if (begun && _config->startup == Config::Startup::failFast) {
			begun = awaitFirstAnswer(lock, deadline);
		}
		if (begun && _stopWanted) {
			begun = refusal(Refusal::Kind::cancelled, "stopped while it was starting");
		}
		if (begun) {
			_phase = Phase::running;
			_start.reset();
			underWay->changed.notify_all();
			return {};
		}
		lock.unlock();
		abandonStart();
		return begun;
	}
	catch (...) {
		if (lock.owns_lock()) {
			lock.unlock();
		}
		abandonStart();
		throw;
	}
}

/// Takes back everything that a start has begun. Blocks without limit while a listener blocks: the run's thread cannot
/// be left behind.
void Instance::abandonStart() noexcept
{
	std::shared_ptr<Services> services;
	{
		const std::lock_guard lock(_mutex);
		_armable = false;
		services = _services;
	}
	while (services && !(services->scheduler().halt(*this, 1h) && (!_login || _login->halt(1h)) && endDelivery(1h))) {
	}
	services.reset();
	end(std::chrono::steady_clock::now() + 2s);
}

/// Starts the first run.
Done Instance::begin(const std::shared_ptr<Services>& services, Deadline deadline)
{
	auto exchange = services->exchange(_config->transport);
	{
		const std::lock_guard lock(_mutex);
		_services = services;
		_exchange = std::move(exchange);
		_newsRead = false;
		_begun = false;
		takeInheritance(services->clock().now());
	}
	_token.open(services->reader(), *this);
	if (_login) {
		if (auto lent = _login->takeLent(services->logins()); !lent.empty()) {
			_token.offer(std::move(lent));
		}
	}
	const bool failFast = _config->startup == Config::Startup::failFast;
	const auto now = std::chrono::steady_clock::now();
	const auto update = awaitFirstRead(_login         ? now
									   : failFast     ? deadline
									   : _inheritance ? now + handoverPatience
													  : now);
	if (_login) { // its first token may take a while: awaitFirstAnswer() waits for that
		const auto* const predecessor = _inheritance ? _inheritance->login.get() : nullptr;
		if (auto opened = _login->open(services, *this, _token.current(), predecessor); !opened) {
			return refusal(Refusal::Kind::invalid, std::move(opened.error().text));
		}
	}

	const std::lock_guard lock(_mutex);
	if (!_token.isRead() && failFast && !_stopWanted && !_login) {
		return update.trouble.empty() || update.hanging
				   ? refusal(
						 Refusal::Kind::unavailable, _token.describe() + " has not been read within startup_timeout")
				   : refusal(Refusal::Kind::invalid, update.trouble);
	}
	if (_token.isRead() || !_inheritance || _login) {
		const auto life = services->clock().now();
		beginLife(life);
		follow(update, life);
	}
	_renewNow = false;
	_rereadToken = false;
	_armable = true;
	const auto armed = services->clock().boot();
	services->scheduler().arm(*this, armed, _keeper.expiry().value_or(runtime::unknownUrgency));
	return {};
}

/// Blocks until a token was read, or it is known why none can be.
credential::Source::Update Instance::awaitFirstRead(Deadline deadline)
{
	while (true) {
		auto update = takeNews(false);
		if (_token.isRead() || (!update.trouble.empty() && !update.hanging)) {
			return update;
		}
		std::unique_lock lock(_mutex);
		const auto start = _start;
		if (!start->changed.wait_until(lock, deadline, [&] { return _newsRead || _stopWanted; }) || _stopWanted) {
			return update;
		}
		_newsRead = false;
	}
}

/// Tells the keeper that a life begins, or continues one that was handed over.
void Instance::beginLife(const Moment& now)
{
	if (_inheritance && _token.isRead()) {
		static_cast<void>(_keeper.stopped(now)); // the keeper may have begun without a token
		report(_keeper.resume(
			now, _inheritance->memory, credential::bearsMark(_token.current(), _inheritance->tokenMark)));
	}
	else {
		report(_keeper.begin(now, !_login || _token.isRead()));
	}
	if (_token.isRead() || _login) {
		_inheritance.reset();
	}
	_begun = true;
	followLogin(now);
}

/// Has what was handed over tell the times of this machine's clock, or drops it and says why.
void Instance::takeInheritance(const Moment& now)
{
	if (!_inheritance) {
		return;
	}
	if (const auto moved = moveTo(now, *_inheritance); !moved) {
		report({renewal::Note{Level::warn, moved.error().text + "; the token is looked up instead", "handover"}});
		_inheritance.reset();
	}
}

/// [any thread] Has the next run take the reader's news.
void Instance::newsRead() noexcept
{
	const std::lock_guard lock(_mutex);
	_newsRead = true;
	if (_start) {
		_start->changed.notify_all();
	}
	if (_armable) {
		try {
			const auto now = _services->clock().boot();
			_services->scheduler().arm(*this, now, _keeper.expiry().value_or(runtime::unknownUrgency));
		}
		catch (const std::exception&) {
			// Out of memory: the news is taken with the next run.
		}
	}
}

Done Instance::awaitFirstAnswer(std::unique_lock<SmallMutex>& lock, Deadline deadline)
{
	const auto start = _start;
	start->settled = isSettled();
	const auto answered = start->changed.wait_until(lock, deadline, [&] { return start->settled || _stopWanted; });
	if (_stopWanted) {
		return refusal(Refusal::Kind::cancelled, "stopped while it waited for the first look-up");
	}
	if (answered && foundAlive(_keeper.snapshot().state)) {
		return {};
	}
	const auto trouble = start->trouble.empty() ? std::string() : ": " + start->trouble;
	return refusal(Refusal::Kind::unavailable,
		std::string(_login ? "the first login or look-up" : "the first look-up") +
			(answered ? " did not succeed" : " had no answer within startup_timeout") + trouble);
}

Done Instance::stop(std::chrono::milliseconds timeout)
{
	std::unique_lock lock(_mutex);
	if (_phase == Phase::idle) {
		return {};
	}
	if (_phase == Phase::starting) {
		_stopWanted = true;
		const auto start = _start;
		start->changed.notify_all();
		const auto ended = start->changed.wait_for(lock, timeout, [&] { return _phase != Phase::starting; });
		// A run in its last step may have ended meanwhile.
		if (!ended || _phase == Phase::idle) {
			return ended ? Done() : refusal(Refusal::Kind::timeout, "the start that is under way has not ended yet");
		}
	}
	_phase = Phase::stopping;
	_armable = false;
	auto& scheduler = _services->scheduler();
	lock.unlock();
	const auto deadline = std::chrono::steady_clock::now() + timeout;
	const auto remaining = [deadline] {
		const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
		return std::max(left, 0ms);
	};
	if (_login) {
		static_cast<void>(_login->halt(0ms)); // begins
	}
	if (!scheduler.halt(*this, timeout) || (_login && !_login->halt(remaining())) || !endDelivery(remaining())) {
		return refusal(Refusal::Kind::timeout, "a callback or a request has not ended yet: call stop again");
	}
	end(deadline);
	return {};
}

/// Ends the life of a stopped instance. No run is under way and none will come.
/// `deadline`: of a request for a token that was made and never used.
void Instance::end(Deadline deadline) noexcept
{
	if (_login) {
		_login->close(deadline);
	}
	_token.close(); // without the lock: the reader calls newsRead() under a lock of its own
	std::unique_lock lock(_mutex);
	if (_services && _begun) {
		try {
			// The reports are dropped: events are for worker threads, and the caller of stop() knows of the stop.
			static_cast<void>(_keeper.stopped(_services->clock().now()));
		}
		catch (const std::exception&) {
			// Out of memory for reports that would be dropped.
		}
	}
	_outbox.clear();
	_advice.reset();
	auto exchange = std::move(_exchange);
	auto services = std::move(_services);
	lock.unlock();
	exchange.reset();
	services.reset(); // the last reference joins the library's threads: before stop() returns
	lock.lock();
	_phase = Phase::idle;
	if (const auto start = std::exchange(_start, nullptr)) {
		start->changed.notify_all();
	}
}

const void* Instance::place() const noexcept
{
	return _exchange->place(); // not null while armed or running
}

bool Instance::running() const
{
	const std::lock_guard lock(_mutex);
	return _phase != Phase::idle;
}

renewal::Snapshot Instance::snapshot() const
{
	const std::lock_guard lock(_mutex);
	if (!_services) {
		return _keeper.snapshot();
	}
	const auto now = _services->clock().now();
	auto snapshot = _keeper.snapshot(now);
	if (const auto login = _login ? _login->figures(now).nextLogin : std::nullopt) {
		snapshot.next = std::min(snapshot.next.value_or(*login), *login);
	}
	return snapshot;
}

std::optional<renewal::LoginKeeper::Figures> Instance::loginFigures() const
{
	const std::lock_guard lock(_mutex);
	return _login && _services ? std::optional(_login->figures(_services->clock().now())) : std::nullopt;
}

Done Instance::renewNow()
{
	return leaveMessage(_renewNow);
}

Done Instance::credentialChanged()
{
	return leaveMessage(_rereadToken);
}

Done Instance::leaveMessage(bool& message)
{
	const std::lock_guard lock(_mutex);
	if (!_armable) {
		return refusal(Refusal::Kind::state, "not running");
	}
	message = true;
	const auto now = _services->clock().boot();
	_services->scheduler().arm(*this, now, _keeper.expiry().value_or(runtime::unknownUrgency));
	return {};
}

Expected<std::string, Refusal> Instance::exportState()
{
	const std::lock_guard lock(_mutex);
	if (_phase != Phase::idle) {
		return refusal(Refusal::Kind::state, "still running: stop it first");
	}
	if (!_inheritance) {
		_inheritance = std::make_unique<Handover>(knowledge());
	}
	return toText(*_inheritance);
}

Expected<std::string, Refusal> Instance::snapshotState() const
{
	std::unique_lock lock(_mutex);
	if (_inheritance) { // imported or exported, and not begun with yet
		return toText(*_inheritance);
	}
	const auto known = knowledge();
	lock.unlock();
	return toText(known);
}

Handover Instance::knowledge() const
{
	const auto token = _token.current();
	return {_keeper.memory(), token.empty() ? std::string() : credential::markOf(token),
		_login ? std::make_unique<LoginHandover>(_login->handOver()) : nullptr, currentBoot(),
		_services ? _services->clock().now() : _keeper.seen()};
}

Done Instance::importState(std::string_view text)
{
	auto handover = handoverFrom(text);
	const std::lock_guard lock(_mutex);
	if (_phase != Phase::idle) {
		return refusal(Refusal::Kind::state, "still running: stop it first");
	}
	if (!handover) {
		return refusal(Refusal::Kind::invalid, handover.error().text);
	}
	_inheritance = std::make_unique<Handover>(std::move(*handover));
	return {};
}

Done Instance::lend(const std::function<void(std::string_view)>& visit)
{
	if (running()) {
		return refusal(Refusal::Kind::state, "still running: stop it first");
	}
	if (!_login || !_login->lend(_token.current(), visit)) {
		return refusal(Refusal::Kind::unavailable, "nothing to lend: a successor reads all that it needs itself");
	}
	return {};
}

Done Instance::take(std::string_view secrets)
{
	if (running()) {
		return refusal(Refusal::Kind::state, "still running: stop it first");
	}
	auto lent = loginSecretsFrom(secrets);
	if (!lent) {
		return refusal(Refusal::Kind::invalid, std::move(lent.error().text));
	}
	if (_login) { // an instance without logins reads its token from its own source
		_login->take(std::move(*lent));
	}
	return {};
}

Done Instance::useCredential(const std::function<void(std::string_view)>& visit) const
{
	const auto token = _token.current();
	if (token.empty()) {
		return refusal(Refusal::Kind::unavailable,
			"no credential yet: " + _token.describe() + (_login ? " has not brought one" : " has not been read"));
	}
	if (_login && _login->isInDoubt()) {
		return refusal(Refusal::Kind::unavailable, "no credential yet: the token in the sink was not accepted yet");
	}
	visit(token.view());
	return {};
}

Done Instance::diagnose(std::chrono::milliseconds timeout, const Diagnosis::Find& find)
{
	if (running()) {
		return refusal(Refusal::Kind::state, "running: stop it first");
	}
	const auto deadline = std::chrono::steady_clock::now() + timeout;
	const auto services = _source();
	const auto exchange = services->exchange(_config->transport);
	if (_login) {
		LoginDiagnosis(*_login, *exchange, services->reader(), services->clock(), find, deadline)
			.look(_config->vaultNamespace);
		if (_token.current().empty()) {
			return {}; // a login will bring the first one
		}
	}
	const auto token = _token.readNow(services->reader(), deadline);
	Diagnosis(*exchange, services->clock(), _config->vaultNamespace, find).run(token, _token, deadline);
	return {};
}

Done Instance::diagnoseLogin(std::chrono::milliseconds timeout, const Diagnosis::Find& find)
{
	if (running()) {
		return refusal(Refusal::Kind::state, "running: stop it first");
	}
	if (!_login || !_login->mayTry()) {
		return refusal(Refusal::Kind::unsupported, "its configuration names no login that can be tried: a wrapped "
												   "secret would be used up");
	}
	const auto deadline = std::chrono::steady_clock::now() + timeout;
	const auto services = _source();
	const auto exchange = services->exchange(_config->transport);
	LoginDiagnosis(*_login, *exchange, services->reader(), services->clock(), find, deadline)
		.logIn(_config->vaultNamespace);
	return {};
}

} // namespace issuer::vault
