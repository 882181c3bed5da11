#pragma once

#include "renewal/login_facts.h"
#include "wire/verdicts.h"

#include <string_view>

namespace issuer::vault::wire {

/// The meaning of one kind of reply that refuses a login or one of the requests around it.
struct LoginVerdict
{
	/// The requests that it is for.
	enum class For : std::uint8_t
	{
		any,
		appRole, ///< logins with this method, and so on
		kubernetes,
		jwt,
		certificate,
		userpass,
		ldap,
		wrapping, ///< the unwrapping of a secret, and the look-up of its wrapping token
		secretIdLookUp,
		revoking,
	};

	For request;
	int from; ///< lowest status that it is for
	int to;   ///< highest status that it is for
	Verdict::Match match;
	/// Compared with each of the server's own texts, as normalised() writes it; "": fits any reply, also that of a
	/// proxy.
	std::string_view text;
	renewal::LoginTrouble::Kind kind;
	renewal::Reason reason;
	std::string_view advice;
};

/// Returns the first verdict that fits; null: none does, and findVerdict() knows the reply as any request may get it.
[[nodiscard]] const LoginVerdict* findLoginVerdict(
	renewal::LoginOperation operation, renewal::LoginMethod method, int status, const Words& words);

} // namespace issuer::vault::wire
