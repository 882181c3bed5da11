#pragma once

#include "base/wiped.h"
#include "renewal/facts.h"

#include <string_view>
#include <vector>

namespace issuer::vault::wire {

/// The texts of a refusal, ready to be compared.
struct Words
{
	bool vaults = false;            ///< true: the server's own; false: of a proxy or gateway
	std::vector<WipedString> texts; ///< as normalised() returns them; may quote a secret of the request
};

/// The meaning of one kind of reply other than 200 for the token.
struct Verdict
{
	enum class Match : std::uint8_t
	{
		contains,
		equals,
	};

	int from; ///< lowest status that it is for
	int to;   ///< highest status that it is for
	Match match;
	/// Compared with each of the texts, as normalised() writes it; "": fits any reply, also one without a text.
	std::string_view text;
	renewal::Trouble::Kind kind;
	renewal::Reason reason;
	std::string_view advice;
};

/// Returns a text as the verdicts compare it: one line, lower case, single blanks, no full stop at its end. Servers
/// differ in all of these.
[[nodiscard]] WipedString normalised(std::string_view text);

/// Returns whether `match` of `text` with one of the texts holds; "" fits any words, also none.
[[nodiscard]] bool fits(Verdict::Match match, std::string_view text, const Words& words);

/// Returns the first verdict that fits; there is always one. Verdicts on the token are taken from the server's own
/// words only: a gateway's page may say "permission denied" or "token not found", and mean another token.
[[nodiscard]] const Verdict& findVerdict(int status, const Words& words);

} // namespace issuer::vault::wire
