#pragma once

#include "renewal/memory.h"
#include "renewal/standing.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace issuer::vault::renewal {

/// What an answer has come to, beside the facts that it changed.
struct Verdict
{
	Outcome outcome = Outcome::none;
	Reason reason = Reason::none;
	std::string_view detail;    ///< what the server said, or what it means; empty: nothing new
	std::uint32_t attempt = 0;  ///< of this renewal; 0 for a look-up that is none
	std::uint32_t failures = 0; ///< that a success has ended
	Instant failingSince;       ///< the first of them was sent
};

/// What the events and notes of one moment are about.
struct Situation
{
	const Policy& policy;
	const Memory& memory;
	Standing standing;
	Moment now;
	std::optional<Instant> next;
};

/// Tells what has become of an attempt and of the state: an event for each outcome and each change, and far fewer
/// notes for the log. Changes `told` alone, and no fact depends on what was told.
class Announcements
{
public:
	Announcements(const Situation& situation, Told& told) : _situation(situation), _told(told) {}

	/// An attempt with the token in use was answered, or the facts changed otherwise.
	void tell(const Verdict& verdict);
	/// A new life has begun with a credential that the source gave.
	void tellReplaced();

	void tellCandidateFound();
	/// The candidate is not in use yet: `why`. `believed`: a server that refuses it is believed from now on.
	void tellCandidateFailed(std::string_view why, bool first, bool believed);
	/// Nothing usable comes from the source.
	void tellUnreadable(std::string_view why);

	[[nodiscard]] Reports take() { return std::move(_reports); }

private:
	void tellBound();
	void tellState(const Verdict& verdict, std::string detail, Reason reason);
	void noteFailure(const Verdict& verdict);
	void noteChange(const Verdict& verdict, std::string text);
	[[nodiscard]] Event event(const Verdict& verdict, std::string detail);
	[[nodiscard]] bool hasNews() const;
	bool note(Level level, std::string text);

	const Situation& _situation;
	Told& _told;
	Reports _reports;
};

/// A sentence for people: what the state means, until when, and what to do.
[[nodiscard]] std::string statusText(const Situation& situation);

/// The hour of death to tell; none: unknown or never.
[[nodiscard]] std::optional<WallTime> hourOfDeath(const Situation& situation);

} // namespace issuer::vault::renewal
