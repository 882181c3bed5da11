#include "vault/unread.h"

#include "base/json_strings.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace issuer::vault::wire {
namespace {

/// A list of what is read rather than of what is secret, so that a secret in a field that nobody thought of is taken
/// out too.
struct ReadKey
{
	std::string_view name;
	bool hasText = true; ///< numbers too: some servers put quotes around them
};
constexpr std::array<ReadKey, 16> readKeys{{
	{"errors"},
	{"error"},
	{"warnings"},
	{"lease_duration"},
	{"ttl"},
	{"expire_time"},
	{"creation_ttl"},
	{"creation_time"},
	{"period"},
	{"explicit_max_ttl"},
	{"num_uses"},
	{"type"},
	{"renewable", false},
	{"auth", false},
	{"data", false},
	{"wrap_info", false},
}};

/// The way through the text, once from front to back: what stays moves up.
class Cut
{
public:
	explicit Cut(WipedString& text) : _text(text), _strings(text) {}

	void run()
	{
		while (const auto string = _strings.next()) {
			if (string->key) {
				dealWithKey(*string);
			}
			else if (!_hasText) {
				takeOut(string->begin, string->end());
			}
		}
		keepUntil(_text.size());
		wipe(_text.data() + _kept, _text.size() - _kept);
		_text.resize(_kept);
	}

private:
	void dealWithKey(const JsonString& key)
	{
		const auto name = std::string_view(_text).substr(key.begin, key.size);
		const auto* const known = std::ranges::find(readKeys, name, &ReadKey::name);
		_hasText = known != readKeys.end() && known->hasText;
		if (known != readKeys.end()) {
			return;
		}
		const std::string_view text = _text;
		const char first = key.after < text.size() ? text[key.after] : '\0';
		if (first == '{' || first == '[') {
			takeOut(key.begin, key.end());
		}
		else if (first != '"') {
			takeOutMember(key.begin - 1, std::min(text.find_first_of(",}] \t\r\n", key.after), text.size()));
		}
		else if (const auto value = _strings.next(); value->end() < text.size()) {
			takeOutMember(key.begin - 1, value->end() + 1);
		}
		else {
			takeOut(key.begin, text.size()); // half a member of half a text
		}
	}

	/// With the comma behind it, or else, since it is the last one, that before it.
	void takeOutMember(std::size_t begin, std::size_t end)
	{
		keepUntil(begin);
		const auto next = _text.find_first_not_of(" \t\r\n", end);
		const auto last = _kept > 0 ? _text.find_last_not_of(" \t\r\n", _kept - 1) : _text.npos;
		if (next < _text.size() && _text[next] == ',') {
			end = next + 1;
		}
		else if (last < _kept && _text[last] == ',') {
			_kept = last;
		}
		_from = end;
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
	std::size_t _kept = 0; ///< what stays has moved up to here,
	std::size_t _from = 0; ///< and what was before here is dealt with
	bool _hasText = false; ///< the last key's strings are read
};

} // namespace

void takeOutUnread(WipedString& text)
{
	Cut(text).run();
}

} // namespace issuer::vault::wire
