#pragma once

#include "base/result.h"

#include <string_view>

namespace issuer::vault::credential {

/// Returns `text` without the blanks and line ends around it, if the rest can be a token: one word of visible ASCII, at
/// most 64 KiB, and not visibly something else: JSON, an assignment, a text in quotes, `null`, UTF-16. Blanks and
/// control characters would end or split the header that carries it. The error tells the kind or position of the
/// trouble and quotes nothing; it continues a sentence after the name of the place: "… is empty".
[[nodiscard]] Result<std::string_view> tokenIn(std::string_view text);

/// Returns `text` by the same rules, for another kind of secret that is one word. `kind` is its name in errors.
[[nodiscard]] Result<std::string_view> wordIn(std::string_view text, std::string_view kind);

} // namespace issuer::vault::credential
