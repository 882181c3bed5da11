#pragma once

#include "base/result.h"
#include "base/time.h"
#include "renewal/login_budget.h"
#include "renewal/login_memory.h"
#include "renewal/memory.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault {

/// The knowledge of an issuer's logins.
struct LoginHandover
{
	renewal::LoginMemory memory;
	renewal::LoginBudget::Row tries; ///< with its identity, by all issuers of the library
};

/// The knowledge that one instance passes to its successor: its keeper's memory, and the token it belongs to, without
/// naming the token.
struct Handover
{
	renewal::Memory memory;
	std::string tokenMark;                          ///< made by credential::markOf(); empty: no token was read
	std::unique_ptr<LoginHandover> login = nullptr; ///< null: the token does not come from a login
	std::string boot = {};           ///< id of the machine's boot that the times are of; empty: not known
	std::optional<Moment> seen = {}; ///< both clocks when it was written; nothing: not told, as by versions before 1.1
};

/// Returns a JSON text with a version and a checksum of its own.
[[nodiscard]] std::string toText(const Handover& handover);

/// Returns the id of this boot of the machine; empty: unknown.
[[nodiscard]] std::string currentBoot();

/// Reads such a text. The error says why it cannot be used: it is damaged, of another version, or of another boot
/// without a wall clock to tell by what its times mean now.
[[nodiscard]] Result<Handover> handoverFrom(std::string_view text);

/// Moves the times of another boot or machine to the clocks of `now`, by the wall clocks of both. As these may differ,
/// the token's end is known less exactly by `clockError` on either side afterwards, and no past fact lies in the
/// future. Does nothing with times of this boot. The error says why the times cannot be true: the token would live for
/// longer than a whole lease from now.
[[nodiscard]] Result<void> moveTo(const Moment& now, Handover& handover);

/// Difference between the wall clocks of two machines that does no harm.
inline constexpr Duration clockError = std::chrono::seconds(2);

} // namespace issuer::vault
