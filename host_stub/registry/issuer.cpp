#include "registry/issuer.h"

#include "common/duration.h"

namespace issuer::registry {

using observe::Action;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

std::string nameOf(const loader::Plugin& plugin)
{
	return plugin.description().name + ' ' + plugin.description().version;
}

} // namespace

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

bool Issuer::givenUp() const
{
	const std::lock_guard lock(_mutex);
	return _givenUp;
}

void Issuer::attempt(std::uint64_t epoch)
{
	{
		const std::lock_guard lock(_mutex);
		if (_halted || _closed || _busy || epoch != _epoch) {
			return;
		}
		_busy = true;
	}
	const CallResult started = startCancellably(*_now.instance);
	settle(started);
	if (started) {
		tell(Action::started, ISSUER_LOG_INFO, "with " + nameOf(*_now.plugin));
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
		return;
	}
	if (_halted || _closed) {
		return; // it failed because it was told to stop
	}
	const issuer_rc code = started.error().code;
	if (code == ISSUER_E_UNAVAILABLE || code == ISSUER_E_TIMEOUT || code == ISSUER_E_CANCELLED) {
		const milliseconds pause = _surroundings.backoff(++_failures);
		_retryAfter = pause;
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
	_busy = false;
	if (const auto pause = std::exchange(_retryAfter, std::nullopt)) {
		_workers.postAfter(*pause, [self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
	}
	_changed.notify_all();
}

Result<void> Issuer::swap(Candidate next)
{
	if (!halt(steady_clock::now() + _surroundings.stopTimeout)) {
		const std::lock_guard lock(_mutex);
		_halted = false;
		return failure("the start that is under way does not end");
	}
	bool wasRunning = false;
	{
		const std::lock_guard lock(_mutex);
		if (_closed) {
			return failure("the host is stopping");
		}
		wasRunning = std::exchange(_running, false);
		_busy = true;
		_halted = false;
	}
	Result<void> result = exchange(std::move(next), wasRunning);
	if (!result) {
		tell(Action::rolledBack, ISSUER_LOG_ERROR, "goes on as before: " + result.error().text);
	}
	rest();
	return result;
}

/// The steps of a swap, each with its way back.
Result<void> Issuer::exchange(Candidate next, bool wasRunning)
{
	std::optional<std::string> state;
	if (Instance* old = _now.instance.get()) {
		if (CallResult stopped = old->stop(_surroundings.stopTimeout); !stopped) {
			_stopPending = stopped.error().code == ISSUER_E_TIMEOUT;
			return goBack("the running one does not stop: " + stopped.error().text);
		}
		if (wasRunning && old->canHandOver() && next.instance->canHandOver()) {
			auto exported = old->exportState();
			if (!exported) {
				return goBack("the running one does not hand over: " + exported.error().text);
			}
			state = std::move(*exported);
		}
		if (CallResult silent = old->recordNothing(); !silent) {
			return goBack("the running one keeps its recorder: " + silent.error().text);
		}
		if (CallResult destroyed = old->destroy(); !destroyed) {
			return goBack("the running one cannot be destroyed: " + destroyed.error().text);
		}
		_now.instance.reset();
	}
	if (state) {
		if (CallResult imported = next.instance->importState(*state); !imported) {
			return recreate("the new one does not take over: " + imported.error().text, state);
		}
	}
	CallResult started = startCancellably(*next.instance);
	if (!started && wasRunning) {
		next.instance.reset();
		return recreate("the new one does not start: " + started.error().text, state);
	}
	// What did not run is no better than what does not start: there the new configuration stands, and is tried again.
	const bool samePlugin = _now.plugin == next.plugin;
	const std::string before = nameOf(*_now.plugin);
	_now = std::move(next);
	_failures = 0;
	settle(started);
	tell(Action::swapped, ISSUER_LOG_INFO,
		samePlugin ? "to a new configuration" : "from " + before + " to " + nameOf(*_now.plugin));
	return {};
}

/// Goes on with the instance it has, which a swap has stopped.
Result<void> Issuer::goBack(std::string why)
{
	settle(startCancellably(*_now.instance));
	return failure(std::move(why));
}

/// Goes on as it was configured, with a new instance of the old plugin in place of the one a swap has destroyed.
Result<void> Issuer::recreate(std::string why, const std::optional<std::string>& state)
{
	Result<Candidate> again = createCandidate(_now.spec, _now.plugin, _surroundings.sink);
	if (!again) {
		settle(tl::unexpected(CallError{ISSUER_E_INTERNAL, again.error().text}));
		return failure(std::move(why));
	}
	_now = std::move(*again);
	if (state && !_now.instance->importState(*state)) {
		why += "; what the old one knew is lost, so it asks its server";
	}
	return goBack(std::move(why));
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
		gone = _now.instance->stop(left).and_then([&] { return _now.instance->destroy(); });
	}
	if (!gone) {
		tell(Action::stopTimedOut, ISSUER_LOG_ERROR, gone.error().text);
	}
	_now.instance.reset();
	_now.plugin.reset(); // a planned attempt may hold this object for a while, and must not hold the library
	return gone.has_value();
}

void Issuer::tell(Action action, issuer_log_level level, const std::string& text) const
{
	_surroundings.sink->notice({action, level, _now.spec.name, text});
}

} // namespace issuer::registry
