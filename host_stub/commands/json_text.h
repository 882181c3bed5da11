#pragma once

#include "common/result.h"

#include <string>
#include <utility>
#include <vector>

namespace issuer::commands {

/// Returns `text` with spaces in place of every comment, from // to the end of its line or between the marks of C, so
/// that all else keeps its line and column. A comment that does not end is left, and is no JSON.
[[nodiscard]] std::string withoutComments(std::string text);

/// A JSON text with comments that is known to be right, with the line and column of each value.
class JsonText
{
public:
	/// Parses `text`. The error has line and column of the first fault: no JSON, or a member that is there twice.
	[[nodiscard]] static Result<JsonText> read(std::string text);

	/// The text without comments.
	[[nodiscard]] const std::string& plain() const { return _plain; }

	/// Returns «line 3, column 7» of the value at each path, such as issuers[2].config; of one that is missing, the
	/// place of its parent. Walks over the text once, however many are asked for.
	[[nodiscard]] std::vector<std::string> placesOf(const std::vector<std::string>& paths) const;

private:
	explicit JsonText(std::string plain) : _plain(std::move(plain)) {}

	std::string _plain;
};

} // namespace issuer::commands
