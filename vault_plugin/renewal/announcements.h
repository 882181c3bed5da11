#pragma once

#include "renewal/memory.h"
#include "renewal/standing.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace issuer::vault::renewal {

/// The result of an answer for the reports, apart from the facts that it changed.
struct Conclusion
{
	Outcome outcome = Outcome::none;
	Reason reason = Reason::none;
	std::string_view detail;    ///< the server's words, or their meaning; empty: no news
	std::uint32_t attempt = 0;  ///< number of the attempt of this renewal; 0 for a look-up outside a renewal
	std::uint32_t failures = 0; ///< number of failures that a success has ended
	Instant failingSince;       ///< time at which the first of them was sent
};

/// The facts and the plan at one moment, for events and notes.
struct Situation
{
	const Policy& policy;
	const Memory& memory;
	Standing standing;
	Moment now;
	std::optional<Instant> next;
	Successor successor{};
};

/// Reports the result of an attempt and changes of the state: an event for each outcome and each change, and far fewer
/// notes for the log. Changes `told` alone, and no fact depends on `told`.
class Announcements
{
public:
	Announcements(const Situation& situation, Told& told) : _situation(situation), _told(told) {}

	/// Reports that an attempt with the token in use was answered, or that the facts changed otherwise.
	void tell(const Conclusion& verdict);
	/// Reports that a new life has begun with a credential from the source.
	void tellReplaced();

	void tellCandidateFound();
	/// Reports why the candidate is not in use yet. `believed`: from now on a refusal by the server counts.
	void tellCandidateFailed(std::string_view why, bool first, bool believed);
	/// Reports that the source gives no usable credential.
	void tellUnreadable(std::string_view why);

	[[nodiscard]] Reports take() { return std::move(_reports); }

private:
	void tellBound();
	void tellState(const Conclusion& verdict, std::string detail, Reason reason);
	void noteFailure(const Conclusion& verdict);
	void noteChange(const Conclusion& verdict, std::string text);
	[[nodiscard]] Event event(const Conclusion& verdict, std::string detail);
	[[nodiscard]] bool hasNews() const;
	bool note(Level level, std::string text);

	const Situation& _situation;
	Told& _told;
	Reports _reports;
};

/// Returns a sentence for the operator: the meaning of the state, its end, and the next step.
[[nodiscard]] std::string statusText(const Situation& situation);

/// Returns the hour of death to report; nothing: unknown or never.
[[nodiscard]] std::optional<WallTime> hourOfDeath(const Situation& situation);

} // namespace issuer::vault::renewal
