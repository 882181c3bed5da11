#include "renewal/format.h"
#include "renewal/login_keeper.h"

#include <algorithm>
#include <bit>
#include <utility>

/// The reports of logins: an event for each that ended, and far fewer lines for the log.
namespace issuer::vault::renewal {
namespace {

constexpr std::int32_t notesAtOnce = 8;
constexpr Duration notePause = std::chrono::minutes(10);

} // namespace

Reports LoginKeeper::take(Moment now)
{
	_seen = now;
	_memory.asOf = now.boot;
	planAnew();
	if (const auto verdict = std::exchange(_verdict, std::nullopt)) {
		auto told = *verdict;
		if (told.outcome == Outcome::success) {
			told.detail = "logged in: the new token is proven and in use";
			if (_plan.login) {
				told.detail += "; next login in " + format::lifeInWords(*_plan.login - now.boot);
			}
			_memory.failing = false;
			note(Level::info, told.detail, "events");
		}
		_reports.emplace_back(event(told));
		if (told.outcome == Outcome::failure) {
			tellFailure(told);
		}
	}
	tellForesight();
	return std::exchange(_reports, {});
}

/// Notes the first failure of a row, then those at doubling counts.
void LoginKeeper::tellFailure(const Verdict& verdict)
{
	if (!std::has_single_bit(verdict.attempt)) {
		return;
	}
	auto text = "login failed: " + verdict.detail + "; attempt " + std::to_string(verdict.attempt);
	const auto& life = _memory.life;
	if (_memory.hasLiving() && life.expiry) {
		text += "; the token in use lives until " + format::until(_seen.wallAt(*life.expiry), _seen.wall);
	}
	if (_plan.login) {
		text += "; next login in " + format::lifeInWords(*_plan.login - _seen.boot);
	}
	else if (_memory.retry.isAboutMaterial()) {
		text += "; the next login waits until the file is replaced";
	}
	_memory.failing =
		note(_memory.hasLiving() ? Level::warn : Level::error, std::move(text), "events") || _memory.failing;
}

/// Tells once, while the token in use still lives, that the material ends before the next login.
void LoginKeeper::tellForesight()
{
	constexpr auto already = WallTime::min();
	const auto& memory = _memory;
	if (!_running || memory.materialAt == Instant::min() || _policy.method == LoginMethod::wrappedToken ||
		memory.life.forEver || memory.hasNewWrap() || memory.fresh) {
		return;
	}
	std::optional<WallTime> ends;
	std::string what;
	const auto consider = [&](std::optional<WallTime> end, const char* name) {
		if (end && (!ends || *end < *ends)) {
			ends = end;
			what = name;
		}
	};
	const bool unusable = !memory.material.usable || !memory.canLogIn();
	consider(
		endOfMaterial(_seen.wall), _policy.method == LoginMethod::certificate ? "the client certificate" : "the JWT");
	consider(memory.secretEnds, "the secret_id");
	if (memory.usesLeft && *memory.usesLeft <= 0) {
		consider(already, "the uses of the secret_id");
	}
	if (unusable) {
		consider(already, "the material of the login");
	}
	const auto login = unusable && !_plan.login ? std::nullopt : _plan.login;
	const auto limit = login ? _seen.wallAt(*login) : _seen.wall + _policy.foresight;
	if (!ends || *ends > limit) {
		_memory.endsTold.reset();
		return;
	}
	const bool over = *ends <= _seen.wall;
	const auto mark = over ? already : *ends;
	if (memory.endsTold == mark) {
		return;
	}
	_memory.endsTold = mark;
	auto text = over ? what + (unusable ? " cannot be used" : " have ended")
					 : what + " ends " + format::until(ends, _seen.wall);
	if (over && !unusable && what != "the uses of the secret_id") {
		text = what + " has ended";
	}
	if (unusable && !memory.material.trouble.empty()) {
		text += " (" + memory.material.trouble + ")";
	}
	text +=
		login ? ", before the next login " + format::until(limit, _seen.wall) + ": that will fail unless it is replaced"
			  : ": a login that becomes necessary will fail unless it is replaced";
	_reports.emplace_back(event({Outcome::none, Reason::loginEnds, text, 0, {}}));
	note(Level::warn, std::move(text), "events");
}

/// Returns the end of a JWT or certificate. One that is replaced by nature, as kubelet does with a pod's, has none that
/// matters until it has passed.
std::optional<WallTime> LoginKeeper::endOfMaterial(WallTime now) const
{
	const auto& material = _memory.material;
	const bool isRefreshed = material.refreshed || _policy.method == LoginMethod::kubernetes;
	return isRefreshed && material.ends > now ? std::nullopt : material.ends;
}

Event LoginKeeper::event(const Verdict& verdict) const
{
	Event event;
	event.kind = EventKind::login;
	event.outcome = verdict.outcome;
	event.state = _memory.life.state;
	event.reason = verdict.reason;
	event.attempt = verdict.attempt;
	event.when = _seen.wall;
	event.latency = verdict.latency;
	event.detail = verdict.detail;
	if (_memory.hasLiving() && _memory.life.expiry) {
		event.expires = _seen.wallAt(*_memory.life.expiry);
		event.ttl = std::max(*event.expires - _seen.wall, Duration::zero());
	}
	if (_plan.login) {
		event.next = _seen.wallAt(*_plan.login);
	}
	return event;
}

/// Adds a line, if the log's budget allows it: a few at once, then one at a time. Returns whether it was added.
bool LoginKeeper::note(Level level, std::string text, std::string_view component)
{
	auto& memory = _memory;
	if (memory.notesCounted == Instant::min()) {
		memory.notesUnspent = notesAtOnce;
		memory.notesCounted = _seen.boot;
	}
	const auto earned = (_seen.boot - memory.notesCounted) / notePause;
	if (earned > 0) {
		memory.notesUnspent =
			static_cast<std::int32_t>(std::min<std::int64_t>(memory.notesUnspent + earned, notesAtOnce));
		memory.notesCounted += earned * notePause;
	}
	if (memory.notesUnspent <= 0) {
		return false;
	}
	--memory.notesUnspent;
	_reports.emplace_back(Note{level, std::move(text), component});
	return true;
}

LoginKeeper::Figures LoginKeeper::figures(Moment now) const
{
	Figures figures;
	figures.successes = _memory.successes;
	figures.failures = _memory.failures;
	if (_plan.login) {
		figures.nextLogin = now.wallAt(*_plan.login);
	}
	figures.materialEnds = endOfMaterial(now.wall);
	if (_memory.secretEnds) {
		figures.materialEnds = std::min(figures.materialEnds.value_or(WallTime::max()), *_memory.secretEnds);
	}
	figures.usesLeft = _memory.usesLeft;
	return figures;
}

} // namespace issuer::vault::renewal
