#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace issuer::vault {

/// A member of a JSON object that somebody reads.
struct JsonKey
{
	std::string_view name;                 ///< as the text spells it: a key with escapes is another one
	bool hasText = true;                   ///< false: strings in its value are not read
	std::span<const JsonKey> members = {}; ///< read of its value, if that is an object; none: that it is one
};

/// Keeps of a JSON object what is read of it, while its text comes in pieces of any size. Secrets in members that
/// nobody reads reach no parser, and memory holds what is kept, however long the text is.
///
/// Removes members that are not read, outermost ones that are null, strings where no text is read, the insides of
/// objects and arrays below what is read, and blanks. Checks the structure of what it keeps; numbers, literals and
/// escapes are left to the parser that reads the result. Removed values are skipped unchecked.
/// A text that does not begin with `{` is a page: its first bytes are kept. A text that is neither leaves nothing.
/// Sieving the result again changes nothing. Allocates nothing.
class JsonSieve
{
public:
	static constexpr std::size_t longestPage = 1024; ///< bytes kept of what is no JSON object

	/// Borrows the keys.
	explicit JsonSieve(std::span<const JsonKey> read) noexcept : _read(read) {}

	/// The next piece of the text. `buffer` begins with what is kept so far, and `piece` lies behind that in the same
	/// buffer: what is kept of the piece moves down to it.
	void add(char* buffer, std::string_view piece) noexcept;

	/// The text has ended. An object that is not complete leaves nothing.
	void end() noexcept;

	/// Bytes at the beginning of the buffer.
	[[nodiscard]] std::size_t kept() const noexcept { return _kept; }

	/// After end(): the text was one whole object.
	[[nodiscard]] bool isObject() const noexcept { return _state == State::done; }

private:
	enum class State : std::uint8_t
	{
		start,
		firstKey, ///< of an object, or its end
		nextKey,  ///< behind a comma
		key,
		longKey, ///< longer than any that is read
		colon,
		firstElement, ///< of an array, or its end
		value,
		text,    ///< inside a string that is kept
		noText,  ///< inside a string of which the quotes are kept
		scalar,  ///< inside a number or a literal
		behind,  ///< a value: a comma or the end of what it is in
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
	bool _escaped = false;          ///< the string goes on behind an odd number of backslashes
	std::size_t _kept = 0;          ///< bytes
	std::size_t _member = 0;        ///< where the member that is being read begins in what is kept
	const JsonKey* _key = nullptr;  ///< its key
	std::size_t _depth = 0;         ///< levels that are open and kept
	std::size_t _skippedDepth = 0;  ///< brackets that are open inside the value that is skipped
	bool _skipsInside = false;      ///< of an object or array whose brackets are kept
	std::array<Level, 3> _levels{}; ///< the outermost object, one in it, an array in that
};

} // namespace issuer::vault
