#include "vault/unread.h"

#include "base/json_strings.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace issuer::vault::wire {
namespace {

/// A list of what is read rather than of what is secret, so that a secret in a field that nobody thought of is taken
/// out too.
struct ReadKey
{
	std::string_view name;
	bool hasText = true;                   ///< numbers too: some servers put quotes around them
	std::span<const ReadKey> members = {}; ///< of the object that it has
};
constexpr ReadKey ofAuth[] = {{"lease_duration"}, {"renewable", false}};
constexpr ReadKey ofData[] = {
	{"ttl"},
	{"expire_time"},
	{"creation_ttl"},
	{"creation_time"},
	{"period"},
	{"explicit_max_ttl"},
	{"num_uses"},
	{"type"},
	{"renewable", false},
};
constexpr ReadKey outermost[] = {
	{"errors"},
	{"error"},
	{"warnings"},
	{"wrap_info", false},
	{"auth", false, ofAuth},
	{"data", false, ofData},
};

/// Behind the value that begins at `at`, whatever it is, or else where the text ends.
std::size_t endOfValue(std::string_view text, std::size_t at)
{
	std::size_t depth = 0;
	while (at < text.size()) {
		const char c = text[at];
		const bool closes = c == '}' || c == ']';
		if (depth == 0 && (closes || c == ',')) {
			return at;
		}
		at = c == '"' ? std::min(endOfJsonString(text, at + 1) + 1, text.size()) : at + 1;
		depth += c == '{' || c == '[' ? 1U : 0U;
		depth -= closes ? 1U : 0U;
	}
	return at;
}

/// The way through the text, once from front to back: what stays moves up.
class Cut
{
public:
	explicit Cut(WipedString& text) : _text(text), _strings(text) {}

	void run()
	{
		bool hasText = false;
		while (const auto string = _strings.next()) {
			followUntil(string->begin);
			_followed = string->end() + 1;
			if (!string->key) {
				if (!hasText) {
					takeOut(string->begin, string->end());
				}
				continue;
			}
			const auto read = readHere();
			const auto key = std::ranges::find(read, textOf(*string), &ReadKey::name);
			const bool isRead = key != read.end() && !isAsGoodAsNone(*string);
			hasText = isRead && key->hasText;
			if (!isRead) {
				takeOutMember(*string);
			}
			else if (_depth == 1) {
				_members = key->members;
			}
		}
		keepUntil(_text.size());
		wipe(_text.data() + _kept, _text.size() - _kept);
		_text.resize(_kept);
	}

private:
	[[nodiscard]] std::string_view textOf(const JsonString& string) const
	{
		return std::string_view(_text).substr(string.begin, string.size);
	}

	/// A member of the outermost object that is null.
	[[nodiscard]] bool isAsGoodAsNone(const JsonString& key) const
	{
		return _depth == 1 && std::string_view(_text).substr(key.after).starts_with("null");
	}

	[[nodiscard]] std::span<const ReadKey> readHere() const
	{
		return _depth == 1 ? outermost : _depth == 2 ? _members : std::span<const ReadKey>();
	}

	/// Into objects and lists, and out of them.
	void followUntil(std::size_t end)
	{
		for (; _followed < end; ++_followed) {
			const char c = _text[_followed];
			if (c == '{' || c == '[') {
				++_depth;
			}
			else if ((c == '}' || c == ']') && _depth > 0) {
				--_depth;
			}
		}
	}

	/// With the comma behind it, or else, since it is the last one, that before it.
	void takeOutMember(const JsonString& key)
	{
		const auto end = endOfValue(_text, key.after);
		takeOut(key.begin - 1, end);
		_strings.skipTo(end);
		_followed = end;
		if (end < _text.size() && _text[end] == ',') {
			++_from;
			return;
		}
		const auto last = _kept > 0 ? _text.find_last_not_of(" \t\r\n", _kept - 1) : _text.npos;
		if (last < _kept && _text[last] == ',') {
			_kept = last;
		}
	}

	void takeOut(std::size_t begin, std::size_t end)
	{
		keepUntil(begin);
		_from = end;
	}

	void keepUntil(std::size_t end)
	{
		std::memmove(_text.data() + _kept, _text.data() + _from, end - _from);
		_kept += end - _from;
		_from = end;
	}

	WipedString& _text;
	JsonStrings _strings;
	std::size_t _kept = 0;             ///< what stays has moved up to here,
	std::size_t _from = 0;             ///< and what was before here is dealt with
	std::size_t _followed = 0;         ///< up to here:
	std::size_t _depth = 0;            ///< in so many objects and lists,
	std::span<const ReadKey> _members; ///< with these to be read in the second
};

} // namespace

void takeOutUnread(WipedString& text)
{
	Cut(text).run();
}

} // namespace issuer::vault::wire
