#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace issuer::vault {

/// A member of a JSON object that the plugin reads.
struct JsonKey
{
	std::string_view name; ///< as spelled in the text: a key with escapes is another one
	bool hasText = true;   ///< false: strings in its value are not read
	/// Members to read of its value, if that is an object; none: only that it is one.
	std::span<const JsonKey> members = {};
};

/// Removes from a JSON object, while its text arrives in pieces of any size, all members that are not read. So secrets
/// in them reach no parser, and memory holds only the kept part, however long the text is.
///
/// Removes members that are not read, outermost members that are null, strings where no text is read, the insides of
/// objects and arrays below those that are read, and blanks. Checks the structure of the kept part; numbers, literals
/// and escapes are left to the parser that reads the result. Removed values are skipped unchecked. A text that does not
/// begin with `{` is a page: its first bytes are kept. Any other text that is no whole object leaves nothing. Sieving
/// the result again changes nothing. Allocates nothing.
class JsonSieve
{
public:
	static constexpr std::size_t longestPage = 1024; ///< bytes kept of a text that is no JSON object

	/// Borrows the keys.
	explicit JsonSieve(std::span<const JsonKey> read) noexcept : _read(read) {}

	/// Takes the next piece of the text. `buffer` begins with the bytes kept so far, and `piece` lies behind those in
	/// the same buffer: the kept part of the piece moves down to them.
	void add(char* buffer, std::string_view piece) noexcept;

	/// Ends the text. An object that is not complete leaves nothing.
	void end() noexcept;

	/// Returns how many bytes at the beginning of the buffer are kept.
	[[nodiscard]] std::size_t kept() const noexcept { return _kept; }

	/// After end(): returns whether the text was one whole object.
	[[nodiscard]] bool isObject() const noexcept { return _state == State::done; }

private:
	enum class State : std::uint8_t
	{
		start,
		firstKey, ///< the first key of an object, or its end
		nextKey,  ///< a key behind a comma
		key,
		longKey, ///< longer than any that is read
		colon,
		firstElement, ///< the first element of an array, or its end
		value,
		text,    ///< inside a string that is kept
		noText,  ///< inside a string of which the quotes are kept
		scalar,  ///< inside a number or a literal
		behind,  ///< behind a value: a comma or the end of the object or array
		skipped, ///< inside a value that is not kept
		skippedText,
		done,
		page,
		broken,
	};
	struct Level
	{
		bool isArray;
		bool hasText;
		std::span<const JsonKey> members;
	};

	void step(char* buffer, char c) noexcept;
	void beginValue(char* buffer, char c) noexcept;
	void enter(const Level& level) noexcept;
	void close(char* buffer, char c) noexcept;
	void beginSkipping(bool inside) noexcept;
	void skip(char* buffer, char c) noexcept;
	std::size_t passString(char* buffer, std::string_view rest) noexcept;
	std::size_t passKey(char* buffer, std::string_view rest) noexcept;
	[[nodiscard]] const JsonKey* find(std::string_view name) const noexcept;
	void endKey(char* buffer) noexcept;
	void keep(char* buffer, char c) noexcept { buffer[_kept++] = c; }
	void fail() noexcept;

	std::span<const JsonKey> _read;
	State _state = State::start;
	bool _escaped = false;          ///< an odd number of backslashes precedes the rest of the string
	std::size_t _kept = 0;          ///< bytes
	std::size_t _member = 0;        ///< position in the kept bytes at which the current member begins
	const JsonKey* _key = nullptr;  ///< key of the current member
	std::size_t _depth = 0;         ///< number of open levels that are kept
	std::size_t _skippedDepth = 0;  ///< number of open brackets inside the skipped value
	bool _skipsInside = false;      ///< the skipped part is the inside of an object or array whose brackets are kept
	std::array<Level, 3> _levels{}; ///< the outermost object, one in it, an array in that
};

} // namespace issuer::vault
