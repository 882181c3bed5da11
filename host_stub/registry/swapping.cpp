#include "common/unix_time.h"
#include "registry/issuer.h"

/// How an issuer becomes another, and how it goes back from every step of that.
namespace issuer::registry {

using observe::Action;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// Whether a request is out, or about to be: a credential that is kept alive has a next one planned at all other times.
bool isAsking(const issuer_health& health)
{
	constexpr milliseconds lead{50}; // from here to stop, on a busy machine
	const bool keepsAlive = health.state == ISSUER_STATE_ACTIVE || health.state == ISSUER_STATE_RETRYING;
	return keepsAlive && health.next_unix_ms < unixMsNow() + lead.count();
}

} // namespace

Result<void> Issuer::swap(Candidate next)
{
	if (!halt(steady_clock::now() + _surroundings.stopTimeout)) {
		{
			const std::lock_guard lock(_mutex);
			_halted = false;
		}
		startIfIdle(); // the start may have ended just now, and as it was told to stop, planned no other
		const std::string why = "the start that is under way does not end";
		tell(Action::rolledBack, ISSUER_LOG_ERROR, "goes on as before: " + why);
		return failure(why);
	}
	bool wasRunning = false;
	{
		const std::lock_guard lock(_mutex);
		if (_closed) {
			return failure("the host is stopping");
		}
		wasRunning = std::exchange(_running, false);
		_busy = _swapping = true;
		_halted = false;
		_retryUnixMs.reset();
	}
	Result<void> result = exchange(std::move(next), wasRunning);
	if (!result) {
		tell(Action::rolledBack, ISSUER_LOG_ERROR, "goes on as before: " + result.error().text);
		const std::lock_guard lock(_mutex);
		_problem = "not swapped: " + result.error().text;
	}
	rest();
	return result;
}

/// The steps of a swap, each with its way back.
Result<void> Issuer::exchange(Candidate next, bool wasRunning)
{
	std::optional<std::string> state;
	if (Instance* old = _now.instance.get()) {
		awaitQuiet(*old);
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
		if (CallResult destroyed = destroyInstance(); !destroyed) {
			return goBack("the running one cannot be destroyed: " + destroyed.error().text);
		}
	}
	return replace(std::move(next), state, wasRunning);
}

/// A stop cuts a request off that the server may have heard, and then the successor sends it again. So it may come back
/// first; but not for long, for a swap may well be what helps against a server that hangs.
void Issuer::awaitQuiet(const Instance& instance)
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

/// The second half of a swap: the old instance is gone, the new one takes its place.
Result<void> Issuer::replace(Candidate next, const std::optional<std::string>& state, bool wasRunning)
{
	Candidate before = become(std::move(next));
	std::string lost;
	if (state) {
		const CallResult imported = _now.instance->importState(*state);
		if (!imported && imported.error().code != ISSUER_E_INVALID) {
			return recreate(std::move(before), "the new one does not take over: " + imported.error().text, state);
		}
		if (!imported) {
			// Of a version it does not know: no reason to keep the old code for ever. It asks its server instead.
			lost = ", without what the old one knew: " + imported.error().text;
		}
	}
	const CallResult started = startCancellably(*_now.instance);
	if (!started && wasRunning) {
		return recreate(std::move(before), "the new one does not start: " + started.error().text, state);
	}
	// What did not run is no better than what does not start: there the new configuration stands, and is tried again.
	{
		const std::lock_guard lock(_mutex);
		_failures = 0;
	}
	settle(started);
	tell(Action::swapped, lost.empty() ? ISSUER_LOG_INFO : ISSUER_LOG_WARN,
		(before.plugin == _now.plugin ? "to a new configuration"
									  : "from " + before.plugin->description().nameAndVersion() + " to " +
											_now.plugin->description().nameAndVersion()) +
			lost);
	return {};
}

/// Goes on with the instance it has, which a swap has stopped.
Result<void> Issuer::goBack(std::string why)
{
	settle(startCancellably(*_now.instance));
	return failure(std::move(why));
}

/// Goes on as it was configured `before`, with a new instance of the old plugin in place of the one a swap destroyed.
Result<void> Issuer::recreate(Candidate before, std::string why, const std::optional<std::string>& state)
{
	become(std::move(before));
	Result<Candidate> again = createCandidate(_now.spec, _now.plugin, _surroundings.sink);
	if (!again) {
		settle(tl::unexpected(CallError{ISSUER_E_INTERNAL, again.error().text}));
		return failure(std::move(why));
	}
	become(std::move(*again));
	if (state && !_now.instance->importState(*state)) {
		why += "; what the old one knew is lost, so it asks its server";
	}
	return goBack(std::move(why));
}

/// Puts `next` in the place of what it is now, which is returned.
Candidate Issuer::become(Candidate next)
{
	const std::lock_guard lock(_view);
	return std::exchange(_now, std::move(next));
}

} // namespace issuer::registry
