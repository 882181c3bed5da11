#pragma once

#include "observe/events/event_sink.h"

#include <ctime>
#include <string>

namespace issuer::observe {

/// Formats one line for an operator: time, issuer, event, remaining life of the credential and next step.
///
///   2026-11-24 05:04:43 UTC  team-a  renewed         1 h left, next renewal in 30 min
///
/// Local time with its zone. Pure: everything shown comes in as an argument.
class HumanLines
{
public:
	struct Style
	{
		bool colours = false;      ///< escape sequences for a terminal
		std::size_t nameWidth = 0; ///< issuers' names are padded to this many characters
		bool dates = true;         ///< false: the reader of the lines notes the time itself, as journald does
	};

	explicit HumanLines(Style style) : _style(style) {}

	/// Returns the level of an event: a loss is an error, a danger to the credential a warning.
	[[nodiscard]] static issuer_log_level severity(const issuer_event& event);

	[[nodiscard]] std::string event(std::string_view issuer, const issuer_event& event) const;
	[[nodiscard]] std::string log(std::time_t at, std::string_view issuer, issuer_log_level level,
		std::string_view component, std::string_view text) const;
	[[nodiscard]] std::string notice(std::time_t at, const Notice& notice) const;

private:
	[[nodiscard]] std::string line(std::time_t at, std::string_view issuer, issuer_log_level level,
		std::string_view what, std::string_view rest) const;

	Style _style;
};

} // namespace issuer::observe
