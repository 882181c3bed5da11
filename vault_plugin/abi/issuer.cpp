#include "abi/issuer.h"

#include "library.h"

#include <algorithm>
#include <limits>

namespace issuer::vault::abi {
namespace {

// The last values of each enumeration: an addition to one needs one in the other.
static_assert(static_cast<issuer_result>(renewal::Outcome::notRenewable) == ISSUER_RESULT_NOT_RENEWABLE);
static_assert(static_cast<issuer_state>(renewal::State::expired) == ISSUER_STATE_EXPIRED);
static_assert(static_cast<issuer_reason>(renewal::Reason::loginEnds) == ISSUER_REASON_LOGIN_ENDS);
static_assert(static_cast<issuer_log_level>(renewal::Level::error) == ISSUER_LOG_ERROR);
static_assert(static_cast<issuer_finding_level>(Finding::Level::problem) == ISSUER_FINDING_PROBLEM);

issuer_rc codeOf(Refusal::Kind kind) noexcept
{
	switch (kind) {
	case Refusal::Kind::invalid:
		return ISSUER_E_INVALID;
	case Refusal::Kind::state:
		return ISSUER_E_STATE;
	case Refusal::Kind::unavailable:
		return ISSUER_E_UNAVAILABLE;
	case Refusal::Kind::timeout:
		return ISSUER_E_TIMEOUT;
	case Refusal::Kind::cancelled:
		return ISSUER_E_CANCELLED;
	case Refusal::Kind::unsupported:
		return ISSUER_E_UNSUPPORTED;
	}
	return ISSUER_E_INTERNAL; // no other kind
}

kit::Answer toAnswer(const Refusal& refusal)
{
	return {codeOf(refusal.kind), refusal.text};
}

kit::Answer toAnswer(const Done& done)
{
	return done ? kit::Answer() : toAnswer(done.error());
}

kit::Result<std::string> toResult(Expected<std::string, Refusal> text)
{
	if (!text) {
		return toAnswer(text.error());
	}
	return std::move(*text);
}

} // namespace

Issuer::Issuer(kit::HostCallbacks& host, Config config)
	: _host(host), _instance(share(config), std::move(config.token), std::move(config.auth), *this, servicesSource())
{
}

kit::Answer Issuer::start()
{
	return toAnswer(_instance.start());
}

kit::Answer Issuer::stop(std::chrono::milliseconds timeout)
{
	return toAnswer(_instance.stop(timeout));
}

kit::Health Issuer::health() const
{
	const renewal::Snapshot now = _instance.snapshot();
	kit::Health health{static_cast<issuer_state>(now.state), static_cast<issuer_reason>(now.reason),
		now.consecutiveFailures, now.expires, now.next, now.lastSuccess, now.lastAttempt, now.successes, now.failures,
		now.notRenewables, now.lastLatency, now.lease, now.cappedAt};
	if (const auto logins = _instance.loginFigures()) {
		health.loginSuccesses = logins->successes;
		health.loginFailures = logins->failures;
		health.nextLogin = logins->nextLogin;
		health.loginEnds = logins->materialEnds;
		if (logins->usesLeft) {
			health.loginUsesLeft = static_cast<std::uint32_t>(
				std::clamp<std::int64_t>(*logins->usesLeft, 0, std::numeric_limits<std::uint32_t>::max()));
		}
	}
	return health;
}

kit::Answer Issuer::renewNow()
{
	return toAnswer(_instance.renewNow());
}

kit::Answer Issuer::credentialChanged()
{
	return toAnswer(_instance.credentialChanged());
}

kit::Result<std::string> Issuer::exportState()
{
	return toResult(_instance.exportState());
}

kit::Result<std::string> Issuer::snapshotState() const
{
	return toResult(_instance.snapshotState());
}

kit::Answer Issuer::importState(std::string_view text)
{
	return toAnswer(_instance.importState(text));
}

kit::Answer Issuer::lend(const kit::Lend& show)
{
	return toAnswer(_instance.lend([&](std::string_view secrets) { show(secrets); }));
}

kit::Answer Issuer::take(std::string_view secrets)
{
	return toAnswer(_instance.take(secrets));
}

kit::Answer Issuer::use(const kit::Visit& visit) const
{
	return toAnswer(_instance.useCredential([&](std::string_view secret) { visit(secret); }));
}

kit::Answer Issuer::diagnose(std::chrono::milliseconds timeout, const kit::Find& find)
{
	return toAnswer(_instance.diagnose(timeout, [&](const Finding& finding) {
		find({static_cast<issuer_finding_level>(finding.level), finding.topic, finding.text, finding.advice});
	}));
}

kit::Answer Issuer::diagnoseLogin(std::chrono::milliseconds timeout, const kit::Find& find)
{
	return toAnswer(_instance.diagnoseLogin(timeout, [&](const Finding& finding) {
		find({static_cast<issuer_finding_level>(finding.level), finding.topic, finding.text, finding.advice});
	}));
}

void Issuer::event(const renewal::Event& event) noexcept
{
	_host.record({static_cast<issuer_result>(event.outcome), static_cast<issuer_state>(event.state),
		static_cast<issuer_reason>(event.reason), event.attempt, event.when, event.ttl, event.expires, event.next,
		event.latency, event.detail, event.kind == renewal::EventKind::login});
}

void Issuer::log(renewal::Level level, std::string_view component, std::string_view text) noexcept
{
	_host.log(static_cast<issuer_log_level>(level), component, text);
}

} // namespace issuer::vault::abi
