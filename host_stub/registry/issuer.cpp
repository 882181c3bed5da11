#include "registry/issuer.h"

#include "common/duration.h"
#include "common/unix_time.h"

namespace issuer::registry {

using observe::Action;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Result<Candidate> createCandidate(
	IssuerSpec spec, std::shared_ptr<const loader::Plugin> plugin, const std::shared_ptr<observe::EventSink>& sink)
{
	auto instance = Instance::create(plugin, spec.name, spec.config, sink);
	if (!instance) {
		return failure("issuer " + spec.name + ": " + instance.error().text);
	}
	return Candidate{std::move(spec), std::move(plugin), std::move(*instance)};
}

Issuer::Issuer(Candidate candidate, Workers& workers, const Surroundings& surroundings)
	: _workers(workers), _surroundings(surroundings), _now(std::move(candidate))
{
}

void Issuer::start()
{
	const std::lock_guard lock(_mutex);
	_workers.post([self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
}

void Issuer::startIfIdle()
{
	const std::lock_guard lock(_mutex);
	if (_running || _closed) {
		return;
	}
	if (_busy) {
		_startAsked = true;
		return;
	}
	_givenUp = false;
	++_epoch; // the attempt that was planned is not needed any more
	_workers.post([self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
}

bool Issuer::givenUp() const
{
	const std::lock_guard lock(_mutex);
	return _givenUp;
}

observe::IssuerStatus Issuer::status() const
{
	observe::IssuerStatus status;
	{
		const std::lock_guard lock(_mutex);
		using observe::Phase;
		status.phase = _closed        ? Phase::stopping
					   : _swapping    ? Phase::swapping
					   : _running     ? Phase::running
					   : _givenUp     ? Phase::failed
					   : _retryUnixMs ? Phase::waiting
									  : Phase::starting;
		status.problem = _problem;
		status.failedStarts = _failures;
		status.nextStartUnixMs = _retryUnixMs;
	}
	const std::lock_guard lock(_view);
	status.name = _now.spec.name;
	if (_now.plugin != nullptr) {
		const loader::Description& about = _now.plugin->description();
		status.pluginId = about.id;
		status.pluginName = about.name;
		status.pluginVersion = about.version;
		status.pluginPath = about.path;
		status.pluginSha256 = about.sha256;
	}
	status.health = _now.instance == nullptr ? std::nullopt : _now.instance->health();
	return status;
}

Result<void> Issuer::nudge(Nudge nudge)
{
	const std::lock_guard lock(_view);
	if (_now.instance == nullptr) {
		return failure("it is between two plugins, or stopped");
	}
	return (nudge == Nudge::renewNow ? _now.instance->renewNow() : _now.instance->credentialChanged())
		.map_error([](const CallError& error) { return Error{error.text}; });
}

void Issuer::attempt(std::uint64_t epoch)
{
	{
		const std::lock_guard lock(_mutex);
		if (_halted || _closed || _busy || epoch != _epoch) {
			return;
		}
		_busy = true;
		_retryUnixMs.reset();
	}
	const CallResult started = startCancellably(*_now.instance);
	settle(started);
	if (started) {
		tell(Action::started, ISSUER_LOG_INFO, "with " + _now.plugin->description().nameAndVersion());
	}
	rest();
}

/// Records and starts, unless told to stop.
CallResult Issuer::startCancellably(Instance& instance)
{
	if (_stopPending) {
		if (CallResult stopped = instance.stop(milliseconds(0)); !stopped) {
			return stopped;
		}
		_stopPending = false;
	}
	if (CallResult recording = instance.record(); !recording) {
		return recording;
	}
	{
		const std::lock_guard lock(_mutex);
		if (_halted || _closed) {
			return tl::unexpected(CallError{ISSUER_E_CANCELLED, "stopped before it began"});
		}
		_starting = &instance;
	}
	CallResult started = instance.start();
	const std::lock_guard lock(_mutex);
	_starting = nullptr;
	return started;
}

/// Draws the conclusion from a start of the current instance, and tells a failure.
void Issuer::settle(const CallResult& started)
{
	std::unique_lock lock(_mutex);
	_running = started.has_value();
	_givenUp = false;
	if (started) {
		_failures = 0;
		_problem.clear();
		return;
	}
	if (_halted || _closed) {
		return; // it failed because it was told to stop
	}
	_problem = started.error().text;
	const issuer_rc code = started.error().code;
	if (code == ISSUER_E_UNAVAILABLE || code == ISSUER_E_TIMEOUT || code == ISSUER_E_CANCELLED) {
		const bool credentialDead = _now.instance->lastHeard() == ISSUER_STATE_EXPIRED;
		const milliseconds pause = _surroundings.backoff(++_failures, credentialDead);
		_retryAfter = pause;
		_retryUnixMs = unixMsNow() + pause.count();
		lock.unlock();
		tell(Action::startFailed, ISSUER_LOG_WARN, started.error().text + "; tried again in " + inWords(pause));
		return;
	}
	_givenUp = true;
	lock.unlock();
	tell(Action::startFailed, ISSUER_LOG_ERROR,
		started.error().text + "; not tried again before the configuration is mended and reloaded");
	_surroundings.onGivenUp();
}

/// Ends being busy. Only then may the next attempt be planned: one that came earlier would find it busy and go away.
void Issuer::rest()
{
	const std::lock_guard lock(_mutex);
	_busy = _swapping = false;
	if (std::exchange(_startAsked, false) && !_running && !_closed) {
		_retryAfter = milliseconds(0);
		_givenUp = false;
	}
	if (const auto pause = std::exchange(_retryAfter, std::nullopt)) {
		_workers.postAfter(*pause, [self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
	}
	_changed.notify_all();
}

/// Destroys the instance, out of sight of status().
CallResult Issuer::destroyInstance()
{
	const std::lock_guard lock(_view);
	CallResult destroyed = _now.instance->destroy();
	if (destroyed) {
		_now.instance.reset();
	}
	return destroyed;
}

bool Issuer::halt(steady_clock::time_point deadline)
{
	constexpr milliseconds pause{10};
	std::unique_lock lock(_mutex);
	_halted = true;
	++_epoch;
	while (_busy) {
		// Again and again: the start may not yet have been entered, and then a stop has nothing to cancel.
		if (_starting != nullptr) {
			static_cast<void>(_starting->stop(milliseconds(0)));
		}
		if (steady_clock::now() >= deadline) {
			return false;
		}
		_changed.wait_for(lock, pause);
	}
	return true;
}

void Issuer::requestStop()
{
	const std::lock_guard lock(_mutex);
	_closed = true;
	if (_starting != nullptr) {
		static_cast<void>(_starting->stop(milliseconds(0)));
	}
}

void Issuer::beginStop()
{
	requestStop();
	const std::lock_guard lock(_mutex);
	if (!_busy && _now.instance != nullptr) {
		static_cast<void>(_now.instance->stop(milliseconds(0)));
	}
}

bool Issuer::finish(steady_clock::time_point deadline)
{
	requestStop();
	if (!halt(deadline)) {
		tell(Action::stopTimedOut, ISSUER_LOG_ERROR, "its start does not end");
		return false;
	}
	CallResult gone;
	if (_now.instance != nullptr) {
		const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
		gone = _now.instance->stop(left).and_then([&] { return destroyInstance(); });
	}
	if (!gone) {
		tell(Action::stopTimedOut, ISSUER_LOG_ERROR, gone.error().text);
	}
	const std::lock_guard lock(_view);
	_now.instance.reset();
	_now.plugin.reset(); // a planned attempt may hold this object for a while, and must not hold the library
	return gone.has_value();
}

void Issuer::tell(Action action, issuer_log_level level, const std::string& text) const
{
	_surroundings.sink->notice({action, level, _now.spec.name, text});
}

} // namespace issuer::registry
