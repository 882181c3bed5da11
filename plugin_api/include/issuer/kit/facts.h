/// A plugin's reports on a credential, in C++ types: events, health and findings.
#pragma once

#include <issuer/diagnose.h>
#include <issuer/health.h>
#include <issuer/kit/text.h>
#include <issuer/lifecycle.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace issuer::kit {

/// A time to show to people.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

[[nodiscard]] inline WallTime now() noexcept
{
	return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

/// One attempt's end (with a result), or a change of state (without), or, of a login, a forecast: see issuer_event.
struct Event
{
	issuer_result result = ISSUER_RESULT_NONE;
	issuer_state state = ISSUER_STATE_STOPPED; ///< after this event
	issuer_reason reason = ISSUER_REASON_NONE;
	std::uint32_t attempt = 0; ///< 1 = first try of this renewal; 0 where it does not apply
	WallTime when = now();
	std::optional<std::chrono::microseconds> ttl = std::nullopt; ///< remaining life; empty: unknown or none
	std::optional<WallTime> expires = std::nullopt;              ///< empty: unknown or none
	std::optional<WallTime> next = std::nullopt;                 ///< next planned request
	std::chrono::microseconds latency{0};                        ///< of the attempt; 0 where it does not apply
	std::string_view detail = {};                                ///< one line for people; never a secret
	bool ofLogin = false; ///< tells of a login: `attempt` and `next` too; of a renewal otherwise
};

/// The state of an instance at one moment: see issuer_health. An empty time is "never", "unknown" or "none".
struct Health
{
	issuer_state state = ISSUER_STATE_STOPPED;
	issuer_reason reason = ISSUER_REASON_NONE;
	std::uint32_t consecutiveFailures = 0;
	std::optional<WallTime> expires = std::nullopt;
	std::optional<WallTime> next = std::nullopt; ///< none while a request is out
	std::optional<WallTime> lastSuccess = std::nullopt;
	std::optional<WallTime> lastAttempt = std::nullopt;
	std::uint64_t successes = 0;
	std::uint64_t failures = 0;
	std::uint64_t notRenewables = 0;
	std::chrono::microseconds lastLatency{0};
	std::optional<std::chrono::microseconds> lease = std::nullopt; ///< as last granted
	std::optional<WallTime> cappedAt = std::nullopt;               ///< the end that no renewal can move
	std::uint64_t loginSuccesses = 0; ///< those whose credential was proven and taken into use
	std::uint64_t loginFailures = 0;
	std::optional<WallTime> nextLogin = std::nullopt;          ///< as planned
	std::optional<WallTime> loginEnds = std::nullopt;          ///< from then on the login material is not accepted
	std::optional<std::uint32_t> loginUsesLeft = std::nullopt; ///< empty: unknown or unlimited
};

/// One thing that a diagnosis found: see issuer_finding. Texts are one line each and hold no secret.
struct Finding
{
	issuer_finding_level level = ISSUER_FINDING_OK;
	std::string_view topic = {}; ///< a lower-case word
	std::string_view text = {};
	std::string_view advice = {}; ///< what to change; empty where there is nothing to do
};

namespace detail {

[[nodiscard]] inline std::int64_t milliseconds(std::optional<WallTime> time) noexcept
{
	return time ? std::chrono::floor<std::chrono::milliseconds>(time->time_since_epoch()).count() : -1;
}

[[nodiscard]] inline std::int64_t milliseconds(std::optional<std::chrono::microseconds> time) noexcept
{
	return time ? std::chrono::floor<std::chrono::milliseconds>(*time).count() : -1;
}

[[nodiscard]] inline std::uint64_t microseconds(std::chrono::microseconds time) noexcept
{
	return static_cast<std::uint64_t>(std::max<std::chrono::microseconds::rep>(time.count(), 0));
}

/// `line` is the event's detail, made fit for people.
[[nodiscard]] inline issuer_event toAbi(const Event& event, issuer_str line) noexcept
{
	issuer_event out{};
	out.struct_size = sizeof out;
	out.kind = event.ofLogin                        ? ISSUER_EVENT_LOGIN
			   : event.result == ISSUER_RESULT_NONE ? ISSUER_EVENT_STATE
													: ISSUER_EVENT_RENEWAL;
	out.result = event.result;
	out.state = event.state;
	out.reason = event.reason;
	out.attempt = event.attempt;
	out.unix_ms = milliseconds(event.when);
	out.ttl_ms = milliseconds(event.ttl);
	out.expires_unix_ms = milliseconds(event.expires);
	out.next_unix_ms = milliseconds(event.next);
	out.latency_us = microseconds(event.latency);
	out.detail = line;
	return out;
}

[[nodiscard]] inline issuer_health toAbi(const Health& health) noexcept
{
	issuer_health out{};
	out.struct_size = sizeof out;
	out.state = health.state;
	out.reason = health.reason;
	out.consecutive_failures = health.consecutiveFailures;
	out.expires_unix_ms = milliseconds(health.expires);
	out.next_unix_ms = milliseconds(health.next);
	out.last_success_unix_ms = milliseconds(health.lastSuccess);
	out.last_attempt_unix_ms = milliseconds(health.lastAttempt);
	out.success = health.successes;
	out.failure = health.failures;
	out.not_renewable = health.notRenewables;
	out.last_latency_us = microseconds(health.lastLatency);
	out.lease_ms = milliseconds(health.lease);
	out.capped_at_unix_ms = milliseconds(health.cappedAt);
	out.login_success = health.loginSuccesses;
	out.login_failure = health.loginFailures;
	out.next_login_unix_ms = milliseconds(health.nextLogin);
	out.login_ends_unix_ms = milliseconds(health.loginEnds);
	out.login_uses_left = health.loginUsesLeft ? std::int64_t(*health.loginUsesLeft) : -1;
	return out;
}

} // namespace detail
} // namespace issuer::kit
