#include "observe/fleet/issuer_view.h"

#include <algorithm>
#include <map>

namespace issuer::observe {

using std::chrono::milliseconds;

namespace {

/// Returns a field of issuer_health; nothing for -1, which is «never, unknown, none».
std::optional<std::int64_t> known(const std::optional<issuer_health>& health, std::int64_t issuer_health::*field)
{
	return health && (*health).*field >= 0 ? std::optional((*health).*field) : std::nullopt;
}

/// Returns a time of logins in issuer_health, where 0 is nothing, too.
std::optional<UnixTime> loginTime(const std::optional<issuer_health>& health, std::int64_t issuer_health::*field)
{
	const auto time = known(health, field);
	return time && *time > 0 ? std::optional(UnixTime(milliseconds(*time))) : std::nullopt;
}

} // namespace

std::optional<UnixTime> IssuerView::nextLogin() const
{
	const auto planned = loginTime(host.health, &issuer_health::next_login_unix_ms);
	return planned ? planned : told.logins.next;
}

std::optional<UnixTime> IssuerView::loginEnds() const
{
	return loginTime(host.health, &issuer_health::login_ends_unix_ms);
}

std::optional<std::uint64_t> IssuerView::loginUsesLeft() const
{
	const bool logsIn = nextLogin() || (host.health && host.health->login_success + host.health->login_failure > 0);
	const auto uses = known(host.health, &issuer_health::login_uses_left);
	return logsIn && uses ? std::optional(static_cast<std::uint64_t>(*uses)) : std::nullopt;
}

LoginOutlook IssuerView::loginOutlook() const
{
	if (told.logins.failingSince) {
		return LoginOutlook::failing;
	}
	const auto login = nextLogin();
	if (!login) {
		return LoginOutlook::none;
	}
	if (loginUsesLeft() == std::uint64_t(0)) {
		return LoginOutlook::usesSpent;
	}
	return loginEnds().value_or(UnixTime::max()) < *login ? LoginOutlook::materialEnds : LoginOutlook::planned;
}

std::string loginOutlookName(LoginOutlook outlook)
{
	switch (outlook) {
	case LoginOutlook::none:
		return "none";
	case LoginOutlook::planned:
		return "planned";
	case LoginOutlook::failing:
		return "failing";
	case LoginOutlook::materialEnds:
		return "material_ends";
	case LoginOutlook::usesSpent:
		return "uses_spent";
	}
	return "unknown"; // unreachable: the switch names every outlook
}

std::optional<UnixTime> IssuerView::death() const
{
	if (loginOutlook() == LoginOutlook::planned) {
		return std::nullopt;
	}
	if (const auto forecast = known(host.health, &issuer_health::capped_at_unix_ms)) {
		return UnixTime(milliseconds(*forecast));
	}
	const bool fixed = told.state == ISSUER_STATE_CAPPED || told.state == ISSUER_STATE_NOT_RENEWABLE ||
					   told.state == ISSUER_STATE_DENIED;
	return fixed ? told.expires : std::nullopt;
}

std::optional<milliseconds> IssuerView::remaining(UnixTime now) const
{
	if (told.state == ISSUER_STATE_EXPIRED) {
		return milliseconds(0);
	}
	if (!told.expires) {
		return std::nullopt;
	}
	return std::max(*told.expires - now, milliseconds(0));
}

std::optional<milliseconds> IssuerView::lease() const
{
	const auto granted = known(host.health, &issuer_health::lease_ms);
	return granted && *granted > 0 ? std::optional(milliseconds(*granted)) : told.lease;
}

std::optional<UnixTime> IssuerView::next() const
{
	if (host.nextStartUnixMs) {
		return UnixTime(milliseconds(*host.nextStartUnixMs));
	}
	return told.next ? told.next : loginTime(host.health, &issuer_health::next_unix_ms); // none told after a login
}

Severity severityOf(const IssuerView& issuer)
{
	if (issuer.host.phase == Phase::elsewhere) {
		return Severity::elsewhere;
	}
	if (issuer.host.phase == Phase::failed) {
		return Severity::dead;
	}
	if (issuer.overdue > milliseconds(0)) {
		return Severity::overdue;
	}
	switch (issuer.told.state) {
	case ISSUER_STATE_EXPIRED:
		return Severity::dead;
	case ISSUER_STATE_STOPPED: // an issuer about to be started
		return issuer.host.phase == Phase::running ? Severity::dead : Severity::starting;
	case ISSUER_STATE_RETRYING:
	case ISSUER_STATE_DENIED:
		return Severity::endangered;
	case ISSUER_STATE_CAPPED:
	case ISSUER_STATE_NOT_RENEWABLE:
		return Severity::ending;
	case ISSUER_STATE_STARTING:
		return Severity::starting;
	}
	if (issuer.told.logins.failingSince) {
		return Severity::endangered;
	}
	if (const auto death = issuer.death(); death && *death - issuer.at < soonEnding) {
		return Severity::ending;
	}
	return Severity::well; // also for a state of a later contract: no alarm without a known reason
}

std::string severityName(Severity severity)
{
	switch (severity) {
	case Severity::dead:
		return "dead";
	case Severity::overdue:
		return "overdue";
	case Severity::endangered:
		return "endangered";
	case Severity::ending:
		return "ending";
	case Severity::starting:
		return "starting";
	case Severity::well:
		return "well";
	case Severity::elsewhere:
		return "elsewhere";
	}
	return {};
}

std::string summary(const std::vector<IssuerView>& issuers)
{
	std::map<Severity, std::size_t> counts;
	for (const IssuerView& issuer : issuers) {
		++counts[severityOf(issuer)];
	}
	std::string text = std::to_string(issuers.size()) + (issuers.size() == 1 ? " issuer" : " issuers");
	for (const auto& [severity, count] : counts) {
		text +=
			(severity == counts.begin()->first ? ": " : ", ") + std::to_string(count) + ' ' + severityName(severity);
	}
	return text;
}

namespace {

/// Returns the time since `then`, if that is more than `may`.
template <class Time>
milliseconds lateBy(const std::optional<Time>& then, milliseconds may, Time now)
{
	return then && *then + may < now ? now - *then : milliseconds(0);
}

milliseconds overdueBy(const IssuerView& issuer, SteadyTime now)
{
	const auto since = [&](std::int64_t unixMs) {
		const auto then = unixMs > 0 ? std::optional(UnixTime(milliseconds(unixMs))) : std::nullopt;
		return lateBy(then, patience, issuer.at);
	};
	switch (issuer.host.phase) {
	case Phase::running:
		return issuer.told.told
				   ? std::max(lateBy(issuer.told.due, patience, now), lateBy(issuer.told.ends, patienceAtTheEnd, now))
				   : since(issuer.host.sinceUnixMs);
	case Phase::starting:
	case Phase::swapping:
	case Phase::stopping:
		return since(issuer.host.sinceUnixMs);
	case Phase::waiting:
		return since(issuer.host.nextStartUnixMs.value_or(issuer.host.sinceUnixMs));
	case Phase::failed:
	case Phase::elsewhere:
		break;
	}
	return milliseconds(0);
}

} // namespace

std::vector<IssuerView> viewAll(const Fleet& fleet, const HostSnapshot& snapshot)
{
	std::vector<IssuerRecord> told = fleet.all();
	const UnixTime now = fleet.now();
	const SteadyTime steadyNow = fleet.steadyNow();
	std::vector<IssuerView> views;
	auto record = told.begin();
	for (IssuerStatus& status : snapshot()) {
		while (record != told.end() && record->name < status.name) {
			++record; // no longer configured
		}
		IssuerView& view = views.emplace_back();
		if (record != told.end() && record->name == status.name) {
			view.told = std::move(*record);
		}
		view.told.name = status.name;
		view.host = std::move(status);
		view.at = now;
		view.overdue = overdueBy(view, steadyNow);
	}
	return views;
}

} // namespace issuer::observe
