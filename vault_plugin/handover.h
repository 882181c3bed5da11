#pragma once

#include "base/result.h"
#include "renewal/login_memory.h"
#include "renewal/memory.h"

#include <memory>
#include <string>
#include <string_view>

namespace issuer::vault {

/// The knowledge that one instance passes to its successor: its keeper's memory, and the token it belongs to, without
/// naming the token.
struct Handover
{
	renewal::Memory memory;
	std::string tokenMark;                                 ///< made by credential::markOf(); empty: no token was read
	std::unique_ptr<renewal::LoginMemory> login = nullptr; ///< null: the token does not come from a login
};

/// Returns a JSON text with a version and a checksum of its own.
[[nodiscard]] std::string toText(const Handover& handover);

/// Reads such a text. The error says why it cannot be used: it is damaged, of another version, or not known to be of
/// the machine's present boot, so that its times mean nothing now.
[[nodiscard]] Result<Handover> handoverFrom(std::string_view text);

} // namespace issuer::vault
