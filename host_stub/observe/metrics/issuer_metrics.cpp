#include "observe/metrics/issuer_metrics.h"

#include "observe/events/names.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace issuer::observe {

namespace {

constexpr issuer_state lastState = ISSUER_STATE_EXPIRED;

using Seconds = std::optional<double>;

Seconds seconds(const std::optional<std::chrono::milliseconds>& duration)
{
	return duration ? Seconds(std::chrono::duration<double>(*duration).count()) : std::nullopt;
}

Seconds seconds(const std::optional<UnixTime>& time)
{
	return time ? Seconds(std::chrono::duration<double>(time->time_since_epoch()).count()) : std::nullopt;
}

/// Writes a family with at most one sample per issuer: an issuer without a value is left out, as Prometheus recommends.
template <class Value>
void family(Exposition& out, const std::vector<IssuerView>& issuers, std::string_view type, std::string_view name,
	std::string_view help, const Value& valueOf)
{
	const auto has = [&](const IssuerView& issuer) { return std::optional<double>(valueOf(issuer)).has_value(); };
	if (std::ranges::none_of(issuers, has)) {
		return; // a family without samples is left out
	}
	out.family(type, name, help);
	for (const IssuerView& issuer : issuers) {
		if (const std::optional<double> value = valueOf(issuer)) {
			out.sample({{"issuer", issuer.told.name}}, *value);
		}
	}
}

void renewals(Exposition& out, const std::vector<IssuerView>& issuers)
{
	out.family("counter", "issuer_token_renewals_total", "Renewal attempts, by result.");
	for (const IssuerView& issuer : issuers) {
		const auto sample = [&](std::string_view result, std::uint64_t count) {
			out.sample({{"issuer", issuer.told.name}, {"result", result}}, static_cast<double>(count));
		};
		sample("success", issuer.told.successes);
		sample("failure", issuer.told.failures);
		sample("not_renewable", issuer.told.notRenewables);
	}
}

/// Writes nothing for issuers that never log in.
void logins(Exposition& out, const std::vector<IssuerView>& issuers)
{
	const auto hasLogins = [](const IssuerView& issuer) { return !issuer.told.logins.ended.empty(); };
	if (std::ranges::any_of(issuers, hasLogins)) {
		out.family("counter", "issuer_logins_total", "Logins, by result and reason.");
	}
	for (const IssuerView& issuer : issuers) {
		for (const auto& [result, reason, times] : issuer.told.logins.ended) {
			out.sample({{"issuer", issuer.told.name}, {"result", resultName(result)}, {"reason", reasonName(reason)}},
				static_cast<double>(times));
		}
	}
	const auto gauge = [&](std::string_view name, std::string_view help, const auto& valueOf) {
		family(out, issuers, "gauge", name, help, valueOf);
	};
	gauge("issuer_next_login_timestamp_seconds", "Time of the next planned login.",
		[](const IssuerView& issuer) { return seconds(issuer.nextLogin()); });
	gauge("issuer_login_failing_timestamp_seconds",
		"Time of the first of the failed logins in a row. Absent while the last one succeeded.",
		[](const IssuerView& issuer) { return seconds(issuer.told.logins.failingSince); });
	gauge("issuer_login_material_ends_timestamp_seconds",
		"Time at which the login material ends, and logins begin to fail. Absent while unknown.",
		[](const IssuerView& issuer) { return seconds(issuer.loginEnds()); });
	gauge("issuer_login_uses_left", "Number of logins that the secret id still allows. Absent while unknown.",
		[](const IssuerView& issuer) -> std::optional<double> {
			const auto uses = issuer.loginUsesLeft();
			return uses ? std::optional(static_cast<double>(*uses)) : std::nullopt;
		});
}

void states(Exposition& out, const std::vector<IssuerView>& issuers)
{
	std::array<std::string, lastState + 1> names;
	for (std::size_t i = 0; i < names.size(); ++i) {
		names[i] = stateName(static_cast<issuer_state>(i));
	}
	out.family("gauge", "issuer_token_state", "1 for the credential's state, 0 for the others.");
	for (const IssuerView& issuer : issuers) {
		const std::string current = stateName(issuer.told.state);
		for (const std::string& name : names) {
			out.sample({{"issuer", issuer.told.name}, {"state", name}}, name == current ? 1 : 0);
		}
		if (issuer.told.state < 0 || issuer.told.state > lastState) { // a state of a later contract
			out.sample({{"issuer", issuer.told.name}, {"state", current}}, 1);
		}
	}
}

void phases(Exposition& out, const std::vector<IssuerView>& issuers)
{
	out.family("gauge", "issuer_phase", "1 for the issuer's phase in the host, 0 for the others.");
	for (const IssuerView& issuer : issuers) {
		for (const Phase phase :
			{Phase::starting, Phase::running, Phase::waiting, Phase::failed, Phase::swapping, Phase::stopping}) {
			out.sample({{"issuer", issuer.told.name}, {"phase", phaseName(phase)}}, phase == issuer.host.phase ? 1 : 0);
		}
	}
}

void plugins(Exposition& out, const std::vector<IssuerView>& issuers)
{
	out.family("gauge", "issuer_plugin_info", "1; the labels name the plugin that serves the issuer.");
	for (const IssuerView& issuer : issuers) {
		out.sample({{"issuer", issuer.told.name}, {"id", issuer.host.pluginId}, {"version", issuer.host.pluginVersion},
					   {"path", issuer.host.pluginPath}},
			1);
	}
}

} // namespace

void writeIssuerMetrics(Exposition& out, const std::vector<IssuerView>& all, UnixTime now)
{
	std::vector<IssuerView> issuers; // that this host keeps: others tell of theirs
	std::ranges::copy_if(all, std::back_inserter(issuers),
		[](const IssuerView& issuer) { return issuer.host.phase != Phase::elsewhere; });
	const auto gauge = [&](std::string_view name, std::string_view help, const auto& valueOf) {
		family(out, issuers, "gauge", name, help, valueOf);
	};
	if (issuers.empty()) {
		return;
	}
	renewals(out, issuers);
	states(out, issuers);
	family(out, issuers, "counter", "issuer_token_state_changes_total", "Changes of the credential's state.",
		[](const IssuerView& issuer) { return static_cast<double>(issuer.told.stateChanges); });
	gauge("issuer_token_expiry_timestamp_seconds",
		"Time at which the credential ends unless it is renewed. Absent while unknown, and without an end.",
		[](const IssuerView& issuer) { return seconds(issuer.told.expires); });
	gauge("issuer_token_ttl_seconds", "Remaining life of the credential; 0 once it is dead.",
		[&](const IssuerView& issuer) { return seconds(issuer.remaining(now)); });
	gauge("issuer_token_lease_seconds", "Length of the credential's lease, as last granted.",
		[](const IssuerView& issuer) { return seconds(issuer.lease()); });
	gauge("issuer_token_capped_timestamp_seconds",
		"Time that no renewal can move the end beyond. Absent while no such time is known, or a login is to bring the "
		"next credential.",
		[](const IssuerView& issuer) { return seconds(issuer.death()); });
	gauge("issuer_token_last_success_timestamp_seconds", "Time of the last renewal that succeeded.",
		[](const IssuerView& issuer) { return seconds(issuer.told.lastSuccess); });
	gauge("issuer_token_next_attempt_timestamp_seconds", "Time of the next planned request.",
		[](const IssuerView& issuer) { return seconds(issuer.next()); });
	gauge("issuer_token_consecutive_failures", "Failed renewals since the last that succeeded.",
		[](const IssuerView& issuer) { return static_cast<double>(issuer.told.consecutiveFailures); });
	gauge("issuer_start_failed", "1 if the issuer could not be started and needs another configuration.",
		[](const IssuerView& issuer) { return issuer.host.phase == Phase::failed ? 1.0 : 0.0; });
	gauge("issuer_overdue_seconds",
		"Time since the issuer's next step was due, or its credential ended, without an event of it; 0 while it is in "
		"time.",
		[](const IssuerView& issuer) { return seconds(std::optional(issuer.overdue)); });
	phases(out, issuers);
	plugins(out, issuers);
	logins(out, issuers);
}

} // namespace issuer::observe
