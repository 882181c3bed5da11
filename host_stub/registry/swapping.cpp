#include "common/unix_time.h"
#include "registry/issuer.h"

/// The swap of an issuer, and the way back from each of its steps.
namespace issuer::registry {

using observe::Action;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// Returns whether a request is under way, or about to be: at all other times a credential that is kept alive has a
/// planned next one.
bool isAsking(const issuer_health& health)
{
	constexpr milliseconds lead{50}; // time that passes from here to the stop, on a busy machine
	const bool keepsAlive = health.state == ISSUER_STATE_ACTIVE || health.state == ISSUER_STATE_RETRYING;
	return keepsAlive && health.next_unix_ms < unixMsNow() + lead.count();
}

} // namespace

std::uint64_t Issuer::announce(const IssuerSpec& next)
{
	const std::lock_guard lock(_view);
	_goal = next;
	return ++_announced;
}

Result<void> Issuer::swap(Candidate next)
{
	const std::uint64_t ticket = announce(next.spec);
	return swap(std::move(next), ticket);
}

Result<void> Issuer::swap(Candidate next, std::uint64_t ticket)
{
	Result<void> result = swapInTurn(std::move(next), ticket);
	const std::lock_guard lock(_view);
	if (ticket == _announced) {
		_goal.reset();
	}
	return result;
}

Result<void> Issuer::swapInTurn(Candidate next, std::uint64_t ticket)
{
	const Deadline deadline = steady_clock::now() + _surroundings.stopTimeout;
	{
		std::unique_lock lock(_mutex);
		const auto free = [this] { return !_swapping || _closed; };
		if (!_changed.wait_for(lock, _surroundings.stopTimeout + _surroundings.swapTimeout, free) || _closed) {
			return failure(_closed ? "the host is stopping" : "it is being swapped already, try again");
		}
		{
			const std::lock_guard view(_view);
			if (ticket != _announced) {
				return failure("it was told later to go on with something else");
			}
		}
		_swapping = true;
		_sinceUnixMs = unixMsNow();
	}
	if (!halt(deadline) && !leaveStartBehind()) {
		{
			const std::lock_guard lock(_mutex);
			_halted = _swapping = false;
		}
		startIfIdle(); // the start may have ended just now, cancelled, without planning another
		const std::string why = "the start that is under way does not end";
		tell(Action::rolledBack, ISSUER_LOG_ERROR, "goes on as before: " + why);
		return failure(why);
	}
	bool wasRunning = false;
	{
		const std::lock_guard lock(_mutex);
		_halted = false;
		if (_closed) {
			_busy = _swapping = false;
			return failure("the host is stopping");
		}
		if (_elsewhere) {
			_busy = _swapping = false;
			configure(next.spec);
			return {};
		}
		wasRunning = std::exchange(_running, false);
		_retryUnixMs.reset();
	}
	Result<void> result = carryOutSwap(std::move(next), wasRunning);
	if (!result) {
		tell(Action::rolledBack, ISSUER_LOG_ERROR, "goes on as before: " + result.error().text);
		const std::lock_guard lock(_mutex);
		_problem = "not swapped: " + result.error().text;
	}
	rest();
	return result;
}

/// Takes a new spec for an issuer that is kept by another host. One that is not shared any more is kept
/// here from now on. Called under the lock.
void Issuer::configure(const IssuerSpec& next)
{
	{
		const std::lock_guard lock(_view);
		_now.spec = next;
	}
	if (!next.shared) {
		keepHere();
	}
	_changed.notify_all();
}

/// Does the steps of a swap, each with its way back.
///
/// An old instance that has stopped and then hangs cannot be returned to: it is left behind, and the new one takes its
/// place without its state. One that hangs in its stop prevents the swap once: the next swap leaves it behind.
Result<void> Issuer::carryOutSwap(Candidate next, bool wasRunning)
{
	std::optional<std::string> state;
	std::string without;
	if (const std::shared_ptr<PluginInstance> old = instance()) {
		awaitQuiet(*old);
		const CallResult stopped = old->stop(_surroundings.stopTimeout);
		if (!stopped && (wasRunning || !stopped.error().hung)) {
			_stopPending = stopped.error().hung || stopped.error().code == ISSUER_E_TIMEOUT;
			return goBack("the running one does not stop: " + stopped.error().text);
		}
		if (stopped && wasRunning && old->canHandOver() && next.instance->canHandOver()) {
			auto exported = old->exportState(soon());
			if (!exported && !exported.error().hung) {
				return goBack("the running one does not hand over: " + exported.error().text);
			}
			if (exported) {
				state = std::move(*exported);
			}
		}
		if (stopped) {
			// One that has never run may have secrets, too: those of its predecessor, or a secret id that it unwrapped
			// before its login failed.
			const CallResult lent = old->lendTo(*next.instance, soon());
			without = lent ? "" : ", without the secrets of the old one: " + lent.error().text;
		}
		const CallResult silent = old->recordNothing(soon());
		if (!silent && !silent.error().hung) {
			return goBack("the running one refused set_recorder(NULL): " + silent.error().text);
		}
		const CallResult destroyed = silent ? destroyInstance() : silent;
		if (!destroyed && !destroyed.error().hung) {
			return goBack("the running one cannot be destroyed: " + destroyed.error().text);
		}
		if (!destroyed) {
			takeInstance();
			without += ", and the old one is left behind: " + destroyed.error().text;
		}
		_stopPending = false;
	}
	return replace(std::move(next), state, wasRunning, std::move(without));
}

/// Waits for a request under way to end. A stop would cut it off although the server may have carried it out, and the
/// successor would send it again. The wait is short, for a swap may be the remedy against a server that hangs.
void Issuer::awaitQuiet(const PluginInstance& instance)
{
	constexpr milliseconds longest{1000};
	constexpr milliseconds pause{5};
	const auto deadline = steady_clock::now() + longest;
	std::unique_lock lock(_mutex);
	while (!_closed && steady_clock::now() < deadline) {
		lock.unlock();
		const auto health = instance.health();
		lock.lock();
		if (!health || !isAsking(*health)) {
			return;
		}
		_changed.wait_for(lock, pause);
	}
}

/// Does the second half of a swap: the old instance is destroyed, and the new one takes its place. `without` names
/// the parts of the old one that the new one did not get; empty if it got all.
Result<void> Issuer::replace(
	Candidate next, const std::optional<std::string>& state, bool wasRunning, std::string without)
{
	Candidate before = become(std::move(next));
	if (state) {
		const CallResult imported = _now.instance->importState(*state, soon());
		if (!imported && imported.error().code != ISSUER_E_INVALID) {
			return recreate(std::move(before), "the new one does not take over: " + imported.error().text, state);
		}
		if (!imported) {
			// A state of an unknown version is no reason to keep the old code for ever. The new instance asks its
			// server instead.
			without += ", without the state of the old one: " + imported.error().text;
		}
	}
	const CallResult started = startCancellably(*_now.instance, steady_clock::now() + _surroundings.swapTimeout);
	if (!started && (wasRunning || started.error().hung)) {
		return recreate(std::move(before), "the new one does not start: " + started.error().text, state);
	}
	// An issuer that did not run is no better than one that does not start: the new configuration stays, and is tried
	// again.
	{
		const std::lock_guard lock(_mutex);
		_failures = 0;
	}
	settle(started);
	tell(Action::swapped, without.empty() ? ISSUER_LOG_INFO : ISSUER_LOG_WARN,
		(before.plugin == _now.plugin || before.plugin == nullptr
				? "to a new configuration"
				: "from " + before.plugin->description().nameAndVersion() + " to " +
					  _now.plugin->description().nameAndVersion()) +
			without);
	return {};
}

/// Continues with its present instance, which a swap has stopped.
Result<void> Issuer::goBack(std::string why)
{
	settle(startCancellably(*_now.instance, steady_clock::now() + _surroundings.swapTimeout));
	return failure(std::move(why));
}

/// Continues as configured `before`, with a new instance of the old plugin in place of the one that the swap destroyed.
/// It takes back the secrets, which by now only the one that failed has.
Result<void> Issuer::recreate(Candidate before, std::string why, const std::optional<std::string>& state)
{
	Candidate failed = become(std::move(before));
	if (_now.plugin == nullptr) { // it was never created
		settle(tl::unexpected(CallError{ISSUER_E_UNAVAILABLE, why}));
		return failure(std::move(why));
	}
	Result<Candidate> again = createCandidate(_now.spec, _now.plugin, _surroundings);
	if (!again) {
		settle(tl::unexpected(CallError{ISSUER_E_INTERNAL, again.error().text}));
		return failure(std::move(why));
	}
	again->hold = _now.hold;
	if (const CallResult lent = failed.instance->lendTo(*again->instance, soon()); !lent) {
		why += "; it did not give back the secrets: " + lent.error().text;
	}
	failed.instance.reset();
	become(std::move(*again));
	if (state && !_now.instance->importState(*state, soon())) {
		why += "; the state of the old one is lost, so it asks its server";
	}
	return goBack(std::move(why));
}

/// Replaces the current candidate by `next`, and returns the former.
Candidate Issuer::become(Candidate next)
{
	const std::lock_guard lock(_view);
	return std::exchange(_now, std::move(next));
}

} // namespace issuer::registry
