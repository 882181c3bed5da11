#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace issuer::commands {

/// Walks over the JSON of RFC 8259 and tells where things stand.
class JsonPlaces
{
public:
	struct Range
	{
		std::size_t begin;
		std::size_t end;
	};

	/// Thrown where the text is not JSON.
	struct Malformed
	{
		std::size_t at;
		const char* what; ///< «a value is wanted»
	};

	/// Hears of a member: its key without escapes, and where its value stands.
	using Member = std::function<void(const std::string& key, Range value)>;
	using Element = std::function<void(Range value)>;

	/// `json` must outlive it.
	explicit JsonPlaces(std::string_view json) : _json(json) {}

	/// Returns where the one value of the whole text stands.
	[[nodiscard]] Range document();

	/// Calls `member` with each member of the object that begins at `at`; returns its end.
	std::size_t object(std::size_t at, const Member& member);

	/// The same for the elements of an array.
	std::size_t array(std::size_t at, const Element& element);

private:
	[[nodiscard]] std::size_t skipped(std::size_t at) const;
	[[nodiscard]] char charAt(std::size_t at) const { return at < _json.size() ? _json[at] : '\0'; }
	std::size_t next(std::size_t at, char close, const char* wanted) const;
	[[nodiscard]] std::size_t string(std::size_t at) const;
	[[nodiscard]] std::size_t number(std::size_t at) const;
	[[nodiscard]] std::size_t word(std::size_t at) const;
	std::size_t value(std::size_t at);

	const std::string_view _json;
	std::size_t _depth = 0;
};

/// The text of a JSON string, without quotes and escapes. `json` is known to be one.
[[nodiscard]] std::string unescaped(std::string_view json);

} // namespace issuer::commands
