#pragma once

#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace issuer::vault::credential {

/// The kind of text that a file, variable or value of the configuration holds.
enum class TextKind : std::uint8_t
{
	token,
	wrappingToken, ///< in place of a token or secret_id, which it is exchanged for once
	roleId,
	secretId,
	jwt,
	password,
	certificate, ///< in PEM, perhaps with its key
};

/// Returns its name in words: "token", "role_id", "JWT", ….
[[nodiscard]] std::string_view nameOf(TextKind kind) noexcept;

/// Returns the part of `text` that counts, if it can be a text of that kind. Blanks and line ends around a word do not
/// count; a password loses exactly one line end, since it may end in blanks. The error tells the trouble, quotes
/// nothing, and continues a sentence after the name of the place: "… is empty".
[[nodiscard]] Result<std::string_view> textIn(TextKind kind, std::string_view text);

} // namespace issuer::vault::credential
