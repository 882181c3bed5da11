#pragma once

#include "renewal/facts.h"

#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault::wire {

/// What a refusal says, as it can be compared.
struct Words
{
	bool vaults = false;            ///< Vault's own; else of something before the server
	std::vector<std::string> texts; ///< normalised
};

/// What one kind of reply says about the token, if it is not a 200.
struct Verdict
{
	enum class Match : std::uint8_t
	{
		contains,
		equals,
	};

	int from; ///< lowest and
	int to;   ///< highest status it is for
	Match match;
	std::string_view text; ///< in any one of the texts, as normalised() writes them; "": also without a text
	renewal::Trouble::Kind kind;
	renewal::Reason reason;
	std::string_view advice;
};

/// A text as the verdicts compare it: one line, lower case, single blanks, no full stop at its end. Servers differ in
/// all of these.
[[nodiscard]] std::string normalised(std::string_view text);

/// The first that fits, and there is always one. What judges the token is taken from the server's own words only: a
/// gateway's page may say "permission denied" or "token not found", and mean another token.
[[nodiscard]] const Verdict& findVerdict(int status, const Words& words);

} // namespace issuer::vault::wire
