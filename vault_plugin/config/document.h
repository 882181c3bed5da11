#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace issuer::vault::config {

struct Value;
struct Member;
using Array = std::vector<Value>;
using Members = std::vector<Member>; ///< in the order of the text; a key that stands twice is here twice

/// One JSON value.
struct Value
{
	std::variant<std::nullptr_t, bool, double, std::string, Array, Members> of;
	/// Of a secret string: the characters between its quotes, escapes as they are written; borrowed from the text.
	std::string_view secret{};
};

struct Member
{
	std::string key;
	Value value;
};

/// Returns the kind of value in words: "a number", "an object", ….
[[nodiscard]] const char* kindOf(const Value& value);

/// A configuration as JSON, without its secrets.
struct Document
{
	static constexpr std::size_t largest = std::size_t{128} * 1024;
	static constexpr std::size_t deepest = 8;

	Value root;
	/// The proxy's address, as Value::secret, if it holds an '@' and so perhaps a password.
	std::optional<std::string_view> proxy;
};

/// Reads `json`, of at most `largest` bytes, nested at most `deepest` deep. The parser makes copies of the text, so it
/// is not shown the secrets, nor any string that could be a misplaced one: those, and strings at keys that the
/// configuration does not have, are x's of the same length in the document. Errors do not repeat the text either.
[[nodiscard]] Result<Document> readDocument(std::string_view json);

} // namespace issuer::vault::config
