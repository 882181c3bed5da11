#pragma once

#include "base/result.h"
#include "renewal/memory.h"

#include <string>
#include <string_view>

namespace issuer::vault {

/// What one instance tells its successor: all that its keeper knows, and whose life that is, without naming the token.
struct Handover
{
	renewal::Memory memory;
	std::string tokenMark; ///< of credential::markOf(); empty: no token was read
};

/// A JSON text with a version and a checksum of its own.
[[nodiscard]] std::string toText(const Handover& handover);

/// The error says what is wrong: damaged, of another version, or not known to be of this machine's present run, so that
/// its clock means nothing now.
[[nodiscard]] Result<Handover> handoverFrom(std::string_view text);

} // namespace issuer::vault
