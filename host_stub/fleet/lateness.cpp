#include "fleet/lateness.h"

#include <chrono>

namespace issuer::fleet {

namespace {

/// Two ends that differ by less are those of one lease: clocks are compared no better.
constexpr milliseconds sameEnd{2'000};

} // namespace

bool canBeRenewed(const State& state)
{
	return state.state == ISSUER_STATE_ACTIVE || state.state == ISSUER_STATE_RETRYING;
}

bool tells(const State& state)
{
	if (canBeRenewed(state)) {
		return state.end != WallTime{} && state.next != WallTime{};
	}
	return state.state != ISSUER_STATE_STARTING && state.state != ISSUER_STATE_STOPPED;
}

milliseconds reserveOf(const State& state)
{
	return canBeRenewed(state) && tells(state) && state.end > state.next ? state.end - state.next : milliseconds{};
}

Lateness latenessOf(const State& state, WallTime now)
{
	if (!canBeRenewed(state) || !tells(state)) {
		return Lateness::none;
	}
	const auto overdue = now - state.next;
	const auto reserve = reserveOf(state);
	return overdue >= reserve / 2 ? Lateness::veryLate : overdue >= reserve / 4 ? Lateness::late : Lateness::none;
}

bool isWell(const State& state, WallTime now)
{
	if (state.state == ISSUER_STATE_NO_EXPIRY) {
		return true;
	}
	return tells(state) && state.end > now && latenessOf(state, now) == Lateness::none;
}

bool isNewer(const State& one, const State& other)
{
	const auto isFinal = [](const State& state) { return !canBeRenewed(state); };
	if (tells(one) != tells(other)) {
		return tells(one);
	}
	if (one.state == ISSUER_STATE_NO_EXPIRY || other.state == ISSUER_STATE_NO_EXPIRY) {
		return other.state != ISSUER_STATE_NO_EXPIRY;
	}
	if (std::chrono::abs(one.end - other.end) > sameEnd) {
		return one.end > other.end;
	}
	return isFinal(one) && !isFinal(other);
}

} // namespace issuer::fleet
