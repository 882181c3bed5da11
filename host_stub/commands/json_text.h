#pragma once

#include "common/result.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::commands {

/// `text` with every comment, from // to the end of its line or between the marks of C, as spaces: what is left stands
/// where it stood. One that does not end is left, and is no JSON.
[[nodiscard]] std::string withoutComments(std::string text);

/// A JSON text with comments that is known to be right, and where in it things stand.
class JsonText
{
public:
	/// The error tells line and column of what is no JSON, or of a member that is there twice.
	[[nodiscard]] static Result<JsonText> read(std::string text);

	/// The text without comments.
	[[nodiscard]] const std::string& plain() const { return _plain; }

	/// «line 3, column 7» of the value at a path such as issuers[2].config; of what is around it, if it is missing.
	[[nodiscard]] std::string placeOf(std::string path) const;

private:
	explicit JsonText(std::string plain) : _plain(std::move(plain)) {}

	std::string _plain;
	mutable std::optional<std::map<std::string, std::size_t>> _places; ///< made when the first is asked for
};

} // namespace issuer::commands
