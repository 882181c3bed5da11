#include "fleet/runner/runner.h"

#include "common/boot_time.h"
#include "common/unix_time.h"
#include "fleet/runner/ring_file.h"

#include <algorithm>
#include <exception>
#include <issuer/kit/signals_blocked.h>
#include <iterator>
#include <new>
#include <utility>

namespace issuer::fleet {

using observe::Action;
using std::chrono::milliseconds;

namespace {

WallTime wallTime(std::int64_t unixMs)
{
	return unixMs > 0 ? WallTime(milliseconds(unixMs)) : WallTime{};
}

} // namespace

Moment machineNow()
{
	return {Instant(sinceBoot()), WallTime(milliseconds(unixMsNow()))};
}

Runner::Runner(Settings settings, registry::Registry& registry, std::shared_ptr<observe::EventSink> sink,
	const OpenDirectory& open)
	: _settings(std::move(settings)), _registry(registry), _sink(std::move(sink)),
	  _plan(std::make_unique<Plan>(_settings.plan, lastRing())),
	  _directory(open([this](Fact fact) { hear(std::move(fact)); }))
{
}

Runner::~Runner()
{
	close();
}

void Runner::begin()
{
	{
		const std::lock_guard lock(_planMutex);
		_plan->configure(_settings.now(), _registry.shared());
		_directory->join(self(_plan->member()), _plan->lists());
	}
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this] { run(); });
}

void Runner::configure()
{
	const std::lock_guard lock(_newsMutex);
	_configure = true;
	_changed.notify_all();
}

void Runner::close()
{
	{
		const std::lock_guard lock(_newsMutex);
		_closed = true;
		_changed.notify_all();
	}
	if (_thread.joinable()) {
		_thread.join();
	}
}

void Runner::lastState(const std::string& issuer, const std::string& plugin, std::string text)
{
	{
		const std::lock_guard lock(_newsMutex);
		if (!_closed) {
			return; // it was removed by a reload
		}
	}
	State state{{issuer, {}}, {}, {}, ISSUER_STATE_STARTING, plugin, std::move(text)};
	{
		const std::lock_guard lock(_planMutex);
		if (!_plan->whyKept(issuer)) {
			return;
		}
		state.name.member = _plan->member();
		if (const auto told = _told.find(issuer); told != _told.end()) {
			state.state = told->second.state;
			state.end = told->second.end;
			state.next = told->second.next;
		}
	}
	const std::lock_guard lock(_newsMutex);
	_lastStates.push_back(std::move(state));
}

void Runner::leave(milliseconds limit)
{
	close();
	std::vector<State> states;
	{
		const std::lock_guard lock(_newsMutex);
		states.swap(_lastStates);
	}
	if (!states.empty()) {
		_directory->write(std::move(states));
	}
	_directory->leave(limit);
}

void Runner::hear(Fact fact)
{
	const std::lock_guard lock(_newsMutex);
	_facts.push_back(std::move(fact));
	_changed.notify_all();
}

void Runner::wake(std::string_view issuer)
{
	const std::lock_guard lock(_newsMutex);
	try {
		_dirty.emplace(issuer);
	}
	catch (const std::bad_alloc&) { // the plugin that tells it will not tell it again
		_isAllDirty = true;
	}
	_changed.notify_all();
}

void Runner::event(std::string_view issuer, const issuer_event& /*event*/)
{
	wake(issuer);
}

void Runner::log(std::string_view, issuer_log_level, std::string_view, std::string_view) {}

void Runner::notice(const observe::Notice& notice)
{
	if (notice.action == Action::started || notice.action == Action::swapped) {
		wake(notice.issuer);
	}
}

void Runner::run()
{
	auto pause = step();
	while (awaitNews(pause)) {
		pause = step();
	}
}

/// Returns false once close() was called.
bool Runner::awaitNews(milliseconds pause)
{
	std::unique_lock lock(_newsMutex);
	const auto hasNews = [this] { return _configure || !_facts.empty() || !_dirty.empty() || _isAllDirty; };
	_changed.wait_for(lock, pause, [&] { return _closed || (!_hasFailed && hasNews()); });
	// Each pass looks at all issuers, so states that change are collected for a while. A moment of the plan that comes
	// meanwhile waits with them; a fact, a new configuration and the end do not.
	constexpr milliseconds collecting{100};
	const auto isUrgent = [this] { return _configure || !_facts.empty() || _isAllDirty || _dirty.empty(); };
	_changed.wait_for(lock, collecting, [&] { return _closed || _hasFailed || isUrgent(); });
	return !_closed;
}

/// Does one pass, and returns the time until the next at the latest. A pass that fails, for want of memory or because
/// of what no code expected, may have got stuck anywhere: the next begins with a new plan. The issuers go on meanwhile.
milliseconds Runner::step() noexcept
{
	try {
		if (_hasFailed) {
			startOver();
		}
		pass();
		const std::lock_guard lock(_planMutex);
		return std::clamp<milliseconds>(_plan->next() - _settings.now().boot, milliseconds(1), milliseconds(1000));
	}
	catch (const std::exception& error) {
		return noteFailure(error.what());
	}
}

/// Tells that a pass failed, as far as that can be told now, and returns the pause before the next: longer if the one
/// before failed not long ago.
milliseconds Runner::noteFailure(const char* why) noexcept
{
	constexpr std::chrono::minutes forgotten{5};
	constexpr milliseconds longest{60'000};
	const Instant now(sinceBoot());
	const bool isAgain = _lastFailure && now - *_lastFailure < forgotten;
	_pauseAfterFailure = isAgain ? std::min(2 * _pauseAfterFailure, longest) : _settings.pauseAfterFailure;
	_lastFailure = now;
	_hasFailed = true;
	try {
		say(ISSUER_LOG_ERROR, std::string("a decision about the fleet failed (") + why +
								  "): what runs here goes on; this host gathers again what it knows of its fleet in " +
								  std::to_string(_pauseAfterFailure.count()) + " ms");
	}
	catch (const std::exception&) { // no memory for that either
	}
	return _pauseAfterFailure;
}

/// Replaces the plan by a new one, which keeps what runs here, and joins again, so that the engine tells everything
/// anew.
void Runner::startOver()
{
	{
		const std::lock_guard lock(_newsMutex);
		_facts.clear();
		_isAllDirty = true;
	}
	const auto issuers = _registry.shared();
	std::vector<std::string> running;
	std::ranges::copy_if(issuers, std::back_inserter(running), [this](const std::string& issuer) {
		const auto status = _registry.status(issuer);
		return status && status->phase != observe::Phase::elsewhere;
	});
	const std::lock_guard lock(_planMutex);
	auto settings = _settings.plan;
	settings.member = _plan->member();
	auto plan = std::make_unique<Plan>(std::move(settings), _plan->ring().members());
	plan->configure(_settings.now(), issuers);
	std::ranges::for_each(running, [&](const std::string& issuer) { plan->adopt(issuer); });
	_directory->join(self(plan->member()), plan->lists());
	_plan = std::move(plan);
	_told.clear();
	_hasFailed = false;
}

/// Takes all that has happened, and carries out what follows from it.
void Runner::pass()
{
	std::vector<Fact> facts;
	std::set<std::string, std::less<>> dirty;
	bool configure = false;
	bool isAllDirty = false;
	{
		const std::lock_guard lock(_newsMutex);
		facts.swap(_facts);
		dirty.swap(_dirty);
		configure = std::exchange(_configure, false);
		isAllDirty = std::exchange(_isAllDirty, false);
	}
	const auto shared = configure || isAllDirty ? _registry.shared() : std::vector<std::string>();
	if (isAllDirty) {
		dirty.insert(shared.begin(), shared.end());
	}
	if (configure) {
		std::ranges::for_each(shared, [this](const std::string& issuer) { letGoOfOwn(issuer); });
	}
	std::ranges::for_each(dirty, [this](const std::string& issuer) { tell(issuer); });
	const auto now = _settings.now();
	Actions actions;
	{
		const std::lock_guard lock(_planMutex);
		if (configure) {
			_plan->configure(now, shared);
		}
		for (const auto& fact : facts) {
			note(fact);
			_plan->heard(now, fact);
		}
		actions = _plan->due(now);
	}
	carryOut(std::move(actions));
	sendPulse(now.boot);
}

/// Lets a shared issuer go that runs without the plan, as this host's own until now.
void Runner::letGoOfOwn(const std::string& issuer)
{
	{
		const std::lock_guard lock(_planMutex);
		if (_plan->whyKept(issuer)) {
			return;
		}
	}
	_registry.letGo(issuer);
}

/// Tells the plan the state of an issuer that runs here.
void Runner::tell(const std::string& issuer)
{
	const auto status = _registry.status(issuer);
	if (!status || status->phase != observe::Phase::running) {
		return;
	}
	Told told{issuer, ISSUER_STATE_STARTING, {}, {}};
	if (status->health) {
		told.state = status->health->state;
		told.end = wallTime(status->health->expires_unix_ms);
		told.next = wallTime(status->health->next_unix_ms);
	}
	const std::lock_guard lock(_planMutex);
	_told.insert_or_assign(issuer, told);
	_plan->told(told);
}

Directory::Self Runner::self(const std::string& member) const
{
	return {member, _settings.plan.run, _settings.url, _settings.version};
}

std::optional<std::vector<std::string>> Runner::lastRing() const
{
	auto ring = readRing(_settings.ringFile);
	if (!ring) {
		say(ISSUER_LOG_WARN, _settings.ringFile.string() + " is left unread: " + ring.error().text);
		return std::nullopt;
	}
	return std::move(*ring);
}

void Runner::say(issuer_log_level level, const std::string& text) const
{
	_sink->notice({Action::fleet, level, {}, text});
}

} // namespace issuer::fleet
