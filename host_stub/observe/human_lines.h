#pragma once

#include "observe/event_sink.h"

#include <ctime>
#include <string>

namespace issuer::observe {

/// One line for people: when, who, what happened, how long the credential lives and what comes next.
///
///     2026-11-24 05:04:43 UTC  team-a  renewed         1 h left, next renewal in 30 min
///
/// Local time with its zone. Pure: everything shown comes in as an argument.
class HumanLines
{
public:
	struct Style
	{
		bool colours = false;      ///< for a terminal
		std::size_t nameWidth = 0; ///< issuers' names are padded to it
		bool dates = true;         ///< false: whoever takes the lines notes the time itself
	};

	explicit HumanLines(Style style) : _style(style) {}

	/// How much an event matters to people: a loss is an error, what endangers the credential a warning.
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
