#include "observe/events/names.h"

#include <array>
#include <cstdint>
#include <span>

namespace issuer::observe {

namespace {

/// Returns the name of a code. An empty name in `names` marks a code that is not in use.
std::string nameOf(std::int32_t code, std::span<const char* const> names)
{
	const auto index = static_cast<std::size_t>(code);
	return code >= 0 && index < names.size() && *names[index] != '\0' ? names[index] : std::to_string(code);
}

} // namespace

std::string kindName(issuer_event_kind kind)
{
	static constexpr std::array names{"", "renewal", "state", "login"};
	return nameOf(kind, names);
}

bool isKnown(issuer_event_kind kind)
{
	return kind == ISSUER_EVENT_RENEWAL || kind == ISSUER_EVENT_STATE || kind == ISSUER_EVENT_LOGIN;
}

std::string resultName(issuer_result result)
{
	static constexpr std::array names{"none", "success", "failure", "not_renewable"};
	return nameOf(result, names);
}

std::string stateName(issuer_state state)
{
	static constexpr std::array names{
		"stopped", "starting", "active", "retrying", "capped", "not_renewable", "no_expiry", "denied", "expired"};
	return nameOf(state, names);
}

std::string reasonName(issuer_reason reason)
{
	static constexpr std::array names{"none", "network", "timeout", "tls", "sealed", "throttled", "server", "refused",
		"malformed", "config", "max_ttl", "not_renewable", "batch", "limited_uses", "expired", "credential_changed",
		"credential_unreadable", "logged_in", "login_refused", "login_ends"};
	return nameOf(reason, names);
}

std::string levelName(issuer_log_level level)
{
	static constexpr std::array names{"debug", "info", "warn", "error"};
	return nameOf(level, names);
}

std::optional<issuer_log_level> levelNamed(std::string_view name)
{
	for (const issuer_log_level level : {ISSUER_LOG_DEBUG, ISSUER_LOG_INFO, ISSUER_LOG_WARN, ISSUER_LOG_ERROR}) {
		if (name == levelName(level)) {
			return level;
		}
	}
	return std::nullopt;
}

std::string actionName(Action action)
{
	switch (action) {
	case Action::started:
		return "started";
	case Action::startFailed:
		return "start_failed";
	case Action::stopTimedOut:
		return "stop_timed_out";
	case Action::swapped:
		return "swapped";
	case Action::rolledBack:
		return "rolled_back";
	case Action::unloaded:
		return "unloaded";
	case Action::pinned:
		return "pinned";
	case Action::reloaded:
		return "reloaded";
	case Action::faulty:
		return "faulty";
	case Action::refused:
		return "refused";
	case Action::missing:
		return "missing";
	case Action::ready:
		return "ready";
	case Action::ended:
		return "ended";
	case Action::serving:
		return "serving";
	case Action::stalled:
		return "stalled";
	case Action::journal:
		return "journal";
	case Action::exec:
		return "exec";
	case Action::stateRefused:
		return "state_refused";
	case Action::fleet:
		return "fleet";
	case Action::threads:
		return "threads";
	}
	return {};
}

std::string phaseName(Phase phase)
{
	switch (phase) {
	case Phase::starting:
		return "starting";
	case Phase::running:
		return "running";
	case Phase::waiting:
		return "waiting";
	case Phase::failed:
		return "failed";
	case Phase::swapping:
		return "swapping";
	case Phase::stopping:
		return "stopping";
	case Phase::elsewhere:
		return "elsewhere";
	}
	return {};
}

} // namespace issuer::observe
