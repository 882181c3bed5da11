#include "registry/issuer.h"

#include "common/duration.h"
#include "common/unix_time.h"
#include "registry/config_files.h"

namespace issuer::registry {

using observe::Action;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// Returns a deadline that never comes: the plugin's own startup timeout ends a start.
steady_clock::time_point inAYear()
{
	return steady_clock::now() + std::chrono::hours(24 * 365);
}

} // namespace

Result<Candidate> createCandidate(
	IssuerSpec spec, std::shared_ptr<const loader::Plugin> plugin, const Surroundings& surroundings)
{
	auto instance = PluginInstance::create(plugin, spec.name, spec.config, surroundings.sink, surroundings.calls,
		steady_clock::now() + surroundings.callTimeout);
	if (!instance) {
		return failure("issuer " + spec.name + ": " + instance.error().text);
	}
	return Candidate{std::move(spec), std::move(plugin), std::move(*instance)};
}

Issuer::Issuer(Candidate candidate, Workers& workers, const Surroundings& surroundings, Prepare prepare)
	: _name(candidate.spec.name), _prepare(std::move(prepare)), _workers(workers), _surroundings(surroundings),
	  _now(std::move(candidate)), _elsewhere(_now.spec.shared), _sinceUnixMs(unixMsNow())
{
	if (_elsewhere) {
		clear(); // it was created to see that it can be
	}
}

IssuerSpec Issuer::spec() const
{
	const std::lock_guard lock(_view);
	return _now.spec;
}

IssuerSpec Issuer::goal() const
{
	const std::lock_guard lock(_view);
	return _goal.value_or(_now.spec);
}

std::filesystem::path Issuer::library() const
{
	const std::lock_guard lock(_view);
	return _now.plugin == nullptr ? std::filesystem::path() : _now.plugin->description().path;
}

bool Issuer::isClosed() const
{
	const std::lock_guard lock(_mutex);
	return _closed;
}

std::shared_ptr<PluginInstance> Issuer::instance() const
{
	const std::lock_guard lock(_view);
	return _now.instance;
}

std::shared_ptr<PluginInstance> Issuer::takeInstance()
{
	const std::lock_guard lock(_view);
	return std::exchange(_now.instance, nullptr);
}

Issuer::Deadline Issuer::soon() const
{
	return steady_clock::now() + _surroundings.callTimeout;
}

void Issuer::start()
{
	const std::lock_guard lock(_mutex);
	if (_elsewhere) {
		return;
	}
	_workers.post([self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
}

bool Issuer::startIfIdle()
{
	const std::lock_guard lock(_mutex);
	if (_running || _closed || _elsewhere) {
		return false;
	}
	if (_busy) {
		_startAsked = true;
		return true;
	}
	_failed = false;
	++_epoch; // cancels the attempt that was planned
	_workers.post([self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
	return true;
}

observe::IssuerStatus Issuer::status() const
{
	observe::IssuerStatus status;
	{
		const std::lock_guard lock(_mutex);
		using observe::Phase;
		status.phase = _closed        ? Phase::stopping
					   : _elsewhere   ? Phase::elsewhere
					   : _swapping    ? Phase::swapping
					   : _running     ? Phase::running
					   : _failed      ? Phase::failed
					   : _retryUnixMs ? Phase::waiting
									  : Phase::starting;
		status.problem = _problem;
		status.failedStarts = _failures;
		status.nextStartUnixMs = _retryUnixMs;
		status.sinceUnixMs = _sinceUnixMs;
	}
	std::shared_ptr<PluginInstance> instance;
	{
		const std::lock_guard lock(_view);
		status.name = _name;
		status.pluginWanted = _now.spec.plugin.wanted();
		instance = _now.instance;
		if (_now.plugin != nullptr) {
			const loader::Description& about = _now.plugin->description();
			status.pluginId = about.id;
			status.pluginName = about.name;
			status.pluginVersion = about.version;
			status.pluginPath = about.path;
			status.pluginSha256 = about.sha256;
		}
	}
	status.health = instance == nullptr ? std::nullopt : instance->health();
	return status;
}

Result<void> Issuer::nudge(Nudge nudge)
{
	bool runs = false;
	{
		const std::lock_guard lock(_mutex);
		if (_swapping || _closed) {
			return failure("it is being swapped or stopped, try again");
		}
		if (_elsewhere) {
			return failure("another host of the fleet keeps it: ask there");
		}
		runs = _running;
	}
	const std::shared_ptr<PluginInstance> its = instance();
	if (!runs || its == nullptr) {
		startIfIdle(); // the start reads everything anew
		return {};
	}
	return (nudge == Nudge::renewNow ? its->renewNow() : its->credentialChanged())
		.map_error([](const CallError& error) { return Error{error.text}; });
}

void Issuer::attempt(std::uint64_t epoch)
{
	{
		const std::lock_guard lock(_mutex);
		if (_halted || _closed || _busy || _elsewhere || epoch != _epoch) {
			return;
		}
		_busy = true;
		_retryUnixMs.reset();
		_sinceUnixMs = unixMsNow();
	}
	const CallResult started = attemptOnce();
	settle(started);
	if (started) {
		const loader::Description& about = _now.plugin->description();
		const std::string& name = _now.spec.plugin.name;
		tell(Action::started, ISSUER_LOG_INFO,
			"with " + about.nameAndVersion() + (name.empty() ? "" : ": " + name + " is " + about.path.string()));
	}
	rest();
}

/// Creates the instance if no earlier attempt has, and starts it.
CallResult Issuer::attemptOnce()
{
	std::string files = stampOfFiles(); // before the files are read: a later change is noticed
	{
		const std::lock_guard lock(_mutex);
		_filesBefore = std::move(files);
	}
	if (instance() == nullptr) {
		Result<Candidate> made = _prepare(spec());
		if (!made) {
			return tl::unexpected(CallError{ISSUER_E_INVALID, made.error().text});
		}
		become(std::move(*made));
		takeState();
	}
	CallResult started = startCancellably(*_now.instance, inAYear());
	if (!started && started.error().hung && !_stopPending) {
		takeInstance(); // it cannot be used any more
	}
	return started;
}

/// Records and starts, unless told to stop.
CallResult Issuer::startCancellably(PluginInstance& instance, Deadline deadline)
{
	if (_stopPending) {
		if (CallResult stopped = instance.stop(milliseconds(0)); !stopped) {
			return stopped;
		}
		_stopPending = false;
	}
	if (CallResult recording = instance.record(soon()); !recording) {
		return recording;
	}
	{
		const std::lock_guard lock(_mutex);
		if (_halted || _closed) {
			return tl::unexpected(CallError{ISSUER_E_CANCELLED, "stopped before it began"});
		}
		// With its hold, which a stop by another thread needs longer than this start: see beginStop(). The pair lets go
		// of the instance first.
		const auto kept = std::make_shared<std::pair<std::shared_ptr<const void>, std::shared_ptr<PluginInstance>>>(
			_now.hold, _now.instance);
		_starting = {kept, kept->second.get()};
	}
	CallResult started = instance.start(deadline);
	const std::lock_guard lock(_mutex);
	_starting = nullptr;
	return started;
}

/// Sets the phase after a start of the current instance, and reports a failure.
void Issuer::settle(const CallResult& started)
{
	std::unique_lock lock(_mutex);
	_running = started.has_value();
	_failed = false;
	if (started) {
		_failures = 0;
		_problem.clear();
		return;
	}
	if (_halted || _closed) {
		return; // no failure: it was told to stop
	}
	_problem = started.error().text;
	const issuer_rc code = started.error().code;
	const bool passes =
		started.error().hung || code == ISSUER_E_UNAVAILABLE || code == ISSUER_E_TIMEOUT || code == ISSUER_E_CANCELLED;
	const std::shared_ptr<PluginInstance> its = instance();
	const bool credentialDead = its != nullptr && its->lastHeard() == ISSUER_STATE_EXPIRED;
	_failed = !passes;
	const milliseconds pause = _surroundings.backoff(++_failures, !passes || credentialDead);
	_retryAfter = pause;
	_retryUnixMs = unixMsNow() + pause.count();
	lock.unlock();
	tell(Action::startFailed, passes ? ISSUER_LOG_WARN : ISSUER_LOG_ERROR,
		started.error().text + "; tried again in " + inWords(pause) +
			(passes ? "" : ", and at once when a file that its configuration names changes"));
}

/// Ends being busy, and then plans the next attempt: one that came earlier would find it busy and be dropped.
void Issuer::rest()
{
	const std::lock_guard lock(_mutex);
	_busy = _swapping = false;
	if (std::exchange(_startAsked, false) && !_running && !_closed) {
		_retryAfter = milliseconds(0);
		_failed = false;
	}
	if (const auto pause = std::exchange(_retryAfter, std::nullopt)) {
		_workers.postAfter(*pause, [self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
		if (*pause > _surroundings.lookPause) {
			lookLater(std::make_shared<const Look>(_epoch, _filesBefore, _surroundings.looks));
		}
	}
	_changed.notify_all();
}

/// Begins the next start at once when a file that its configuration names has changed while it waits: that is how an
/// operator mends a missing or dead token.
void Issuer::lookForChanges(const std::shared_ptr<const Look>& look)
{
	const auto isOver = [&] { return _closed || _running || _busy || look->epoch != _epoch; };
	{
		const std::lock_guard lock(_mutex);
		if (isOver()) {
			return;
		}
	}
	const bool changed = stampOfFiles() != look->before;
	if (changed) {
		startIfIdle();
		return;
	}
	const std::lock_guard lock(_mutex);
	if (!isOver()) {
		lookLater(look);
	}
}

/// Plans the next look. The more issuers are looked at, the longer is the pause, so that ten thousand that wait cost
/// next to nothing.
void Issuer::lookLater(const std::shared_ptr<const Look>& look)
{
	constexpr milliseconds pauseOfEach{3};
	const auto pause = std::max<milliseconds>(_surroundings.lookPause, pauseOfEach * look->all->load());
	_workers.postAfter(pause, [self = shared_from_this(), look] { self->lookForChanges(look); });
}

/// Returns the stamp of its plugin and of the files that its configuration names; «unknown» if their file system hangs.
std::string Issuer::stampOfFiles() const
{
	const IssuerSpec its = spec();
	auto files = std::make_shared<std::vector<std::filesystem::path>>(filesNamedIn(its.config));
	files->push_back(its.plugin.path);
	const auto stamp = std::make_shared<std::string>();
	return _surroundings.calls->run([files, stamp] { *stamp = stampOf(*files); }, soon()) ? *stamp : "unknown";
}

/// Destroys the instance, hidden from status() meanwhile. If that fails, it still exists.
CallResult Issuer::destroyInstance()
{
	std::shared_ptr<PluginInstance> its = takeInstance();
	CallResult destroyed = its->destroy(soon());
	if (!destroyed && !destroyed.error().hung) {
		const std::lock_guard lock(_view);
		_now.instance = std::move(its);
	}
	return destroyed;
}

/// Lets no start begin, and ends the one under way. Returns true once this thread is the busy one; false: another still
/// is at `deadline`.
bool Issuer::halt(Deadline deadline)
{
	constexpr milliseconds pause{10};
	std::unique_lock lock(_mutex);
	_halted = true;
	++_epoch;
	while (_busy) {
		// Repeatedly: a start that has not been entered yet cannot be cancelled by a stop.
		if (const std::shared_ptr<PluginInstance> starting = _starting) {
			lock.unlock();
			static_cast<void>(starting->stop(milliseconds(0)));
			lock.lock();
		}
		if (!_busy) {
			break;
		}
		if (steady_clock::now() >= deadline) {
			return false;
		}
		_changed.wait_for(lock, pause);
	}
	_halted = _busy = true;
	return true;
}

/// After halt(): abandons the instance of a start that does not end, though it was told to. Returns true once this
/// thread is the busy one; false: that of the start is busy with another step.
bool Issuer::leaveStartBehind()
{
	constexpr milliseconds aMoment{300};
	if (const std::shared_ptr<PluginInstance> its = instance()) {
		its->abandon();
	}
	std::unique_lock lock(_mutex);
	const bool isFree = _changed.wait_for(lock, aMoment, [this] { return !_busy; });
	_busy = true;
	return isFree;
}

/// Drops the instance and lets go of its plugin. Called under the lock of _now.
void Issuer::clear()
{
	_now.instance.reset();
	_now.plugin.reset(); // a planned attempt may hold this object for a while, and must not keep the library loaded
	_now.hold.reset();
}

void Issuer::requestStop()
{
	const std::lock_guard lock(_mutex);
	_closed = true;
	_changed.notify_all();
}

void Issuer::beginStop()
{
	requestStop();
	std::shared_ptr<PluginInstance> told;
	{
		const std::lock_guard lock(_mutex);
		told = _busy ? _starting : instance();
	}
	if (told != nullptr) {
		static_cast<void>(told->stop(milliseconds(0)));
	}
}

bool Issuer::finish(Deadline deadline)
{
	requestStop();
	CallResult gone;
	if (!halt(deadline)) {
		static_cast<void>(leaveStartBehind());
		gone = tl::unexpected(CallError{ISSUER_E_TIMEOUT, "its start does not end"});
	}
	else if (const std::shared_ptr<PluginInstance> its = instance()) {
		const std::string plugin = _now.plugin == nullptr ? "" : _now.plugin->description().id;
		std::optional<std::string> state;
		gone = putAway(*its, deadline, state);
		if (state) {
			_surroundings.lastState(_name, plugin, std::move(*state));
		}
	}
	if (!gone) {
		tell(Action::stopTimedOut, ISSUER_LOG_ERROR, gone.error().text);
	}
	const std::lock_guard lock(_view);
	clear();
	return gone.has_value();
}

void Issuer::tell(Action action, issuer_log_level level, const std::string& text) const
{
	_surroundings.sink->notice({action, level, _name, text});
}

} // namespace issuer::registry
