#include "common/unix_time.h"
#include "registry/issuer.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

/// An issuer that hosts share: kept here, let go, and the state that goes along.
namespace issuer::registry {

using observe::Action;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Gives the new instance the state of another host's, if there is one.
void Issuer::takeState()
{
	std::optional<std::string> state;
	{
		const std::lock_guard lock(_mutex);
		state = std::exchange(_inherited, std::nullopt);
	}
	if (!state || state->empty() || !_now.instance->canHandOver()) {
		return;
	}
	if (const CallResult taken = _now.instance->importState(*state, soon()); !taken) {
		tell(Action::stateRefused, ISSUER_LOG_WARN,
			"the state that another host has left cannot be used, so the server is asked: " + taken.error().text);
	}
}

void Issuer::keep(std::optional<std::string> state)
{
	const std::lock_guard lock(_mutex);
	if (_closed || !_elsewhere) {
		return;
	}
	_inherited = std::move(state);
	_sinceUnixMs = unixMsNow();
	keepHere();
}

/// Has it start here from now on. Called under the lock.
void Issuer::keepHere()
{
	_elsewhere = false;
	if (_leaving) {
		return; // letGo() does the rest when it has ended
	}
	_halted = false;
	if (_busy) { // of a start that was left behind
		_startAsked = true;
		return;
	}
	++_epoch;
	_workers.post([self = shared_from_this(), epoch = _epoch] { self->attempt(epoch); });
}

bool Issuer::beginLettingGo()
{
	const std::lock_guard lock(_mutex);
	if (_elsewhere || _closed || !spec().shared) {
		return false;
	}
	_elsewhere = true;
	return !std::exchange(_leaving, true);
}

void Issuer::letGo(Deadline deadline)
{
	std::optional<std::string> state;
	CallResult gone;
	const bool isFree = halt(deadline) || leaveStartBehind();
	if (!isFree) {
		gone = tl::unexpected(CallError{ISSUER_E_TIMEOUT, "its start does not end"});
	}
	else if (const std::shared_ptr<PluginInstance> its = instance()) {
		awaitQuiet(*its);
		gone = putAway(*its, deadline, state);
	}
	if (!gone) {
		tell(Action::stopTimedOut, ISSUER_LOG_ERROR, gone.error().text);
	}
	const std::lock_guard lock(_mutex);
	{
		const std::lock_guard view(_view);
		clear();
	}
	_running = _failed = _startAsked = _leaving = false;
	_busy = !isFree;
	_failures = 0;
	_retryAfter.reset();
	_retryUnixMs.reset();
	_problem.clear();
	_sinceUnixMs = unixMsNow();
	if (!_elsewhere && !_closed) { // wanted here again meanwhile
		if (!_inherited) {
			_inherited = std::move(state);
		}
		keepHere();
	}
	_changed.notify_all();
}

/// Stops the instance, takes its state if that may be wanted elsewhere, and destroys it.
CallResult Issuer::putAway(PluginInstance& its, Deadline deadline, std::optional<std::string>& state)
{
	const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
	if (CallResult stopped = its.stop(std::max(left, milliseconds(0))); !stopped) {
		return stopped;
	}
	_stopPending = false;
	constexpr milliseconds aMoment{300};
	const auto soonEnough = std::max(deadline, steady_clock::now() + aMoment);
	if (spec().shared && its.canHandOver()) {
		if (auto exported = its.exportState(soonEnough)) {
			state = std::move(*exported);
		}
	}
	takeInstance();
	return its.destroy(soonEnough);
}

Result<std::pair<std::string, std::string>> Issuer::state() const
{
	std::shared_ptr<PluginInstance> its;
	std::string plugin;
	{
		const std::lock_guard lock(_view);
		its = _now.instance;
		plugin = _now.plugin == nullptr ? "" : _now.plugin->description().id;
	}
	if (its == nullptr) {
		return failure("it does not run");
	}
	auto text = its->snapshotState();
	if (!text) {
		return failure(text.error().text);
	}
	return std::pair(std::move(*text), std::move(plugin));
}

} // namespace issuer::registry
