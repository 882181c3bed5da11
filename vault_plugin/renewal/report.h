#pragma once

#include "renewal/facts.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The outputs of the renewal core: events for the recorder, notes for the log.
namespace issuer::vault::renewal {

/// Values and order are those of `issuer_state`, which documents their meaning.
enum class State : std::int32_t
{
	stopped,
	starting,
	active,
	retrying,
	capped,
	notRenewable,
	noExpiry,
	denied,
	expired,
};

/// Values and order are those of `issuer_result`.
enum class Outcome : std::int32_t
{
	none,
	success,
	failure,
	notRenewable,
};

enum class EventKind : std::uint8_t
{
	renewal, ///< of the token in use: an attempt, or a change of its state
	login,   ///< one login ended, or is foreseen to fail
};

/// An event for the recorder. Without an outcome it announces a change of state or forecast.
struct Event
{
	EventKind kind = EventKind::renewal;
	Outcome outcome = Outcome::none;
	State state = State::stopped; ///< state after this event
	Reason reason = Reason::none;
	std::uint32_t attempt = 0; ///< 1 = first try of this renewal; 0 where it does not apply
	WallTime when;
	std::optional<Duration> ttl; ///< remaining life
	std::optional<WallTime> expires;
	std::optional<WallTime> next; ///< next planned request
	Duration latency{};           ///< of the attempt; 0 where it does not apply
	std::string detail;           ///< one line for the operator; never a secret
};

/// Values and order are those of `issuer_log_level`.
enum class Level : std::int32_t
{
	debug,
	info,
	warn,
	error,
};

/// A line for the log: repeats events in words, but far more rarely.
struct Note
{
	Level level = Level::info;
	std::string text;
	std::string_view component = "events"; ///< one of the contract's words, a literal
};

using Report = std::variant<Event, Note>;
using Reports = std::vector<Report>;

} // namespace issuer::vault::renewal
