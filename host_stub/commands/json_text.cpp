#include "commands/json_text.h"

#include "commands/json_places.h"
#include "common/text.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string_view>

namespace issuer::commands {

namespace {

/// A member that is there twice.
struct Twice
{
	std::size_t at;
	std::string key;
};

/// Counts lines and columns as editors do, from one place to a later one.
class LineCounter
{
public:
	explicit LineCounter(std::string_view text) : _text(text) {}

	/// Returns line and column of the byte at `at`, which is not before that of the last call.
	std::string at(std::size_t at)
	{
		for (; _at < at; ++_at) {
			const bool endsLine = _text[_at] == '\n';
			_line += endsLine ? 1U : 0U;
			const bool begins = (static_cast<unsigned char>(_text[_at]) & 0xC0) != 0x80; // a character of UTF-8
			_column = endsLine ? 1 : _column + (begins ? 1U : 0U);
		}
		return "line " + std::to_string(_line) + ", column " + std::to_string(_column);
	}

private:
	const std::string_view _text;
	std::size_t _at = 0;
	std::size_t _line = 1;
	std::size_t _column = 1;
};

/// Checks that no object inside the value at `at` has a member twice, of which a parser would silently keep the last.
/// Throws Twice.
void checkMembers(JsonPlaces& places, std::string_view json, std::size_t at)
{
	if (json[at] == '{') {
		std::set<std::string> keys;
		places.object(at, [&](const std::string& key, JsonPlaces::Range value) {
			if (!keys.insert(key).second) {
				throw Twice{value.begin, key};
			}
			checkMembers(places, json, value.begin);
		});
	}
	else if (json[at] == '[') {
		places.array(at, [&](JsonPlaces::Range element) { checkMembers(places, json, element.begin); });
	}
}

/// Calls `visit` with the path and place of the value at `at`, and, where it returns true, of each value inside.
template <class Visit>
void walk(JsonPlaces& places, std::string_view json, std::size_t at, const std::string& path, const Visit& visit)
{
	if (!visit(path, at)) {
		return;
	}
	if (json[at] == '{') {
		places.object(at, [&](const std::string& key, JsonPlaces::Range value) {
			walk(places, json, value.begin, path + (path.empty() ? "" : ".") + sanitize(key), visit);
		});
	}
	else if (json[at] == '[') {
		std::size_t index = 0;
		places.array(at, [&](JsonPlaces::Range element) {
			walk(places, json, element.begin, path + '[' + std::to_string(index++) + ']', visit);
		});
	}
}

/// Returns the path of the value around the one at `path`; that of the whole text is empty.
std::string parentOf(const std::string& path)
{
	const std::size_t last = path.find_last_of(".[");
	return path.substr(0, last == std::string::npos ? 0 : last);
}

} // namespace

std::string withoutComments(std::string text)
{
	for (std::size_t at = 0; at < text.size();) {
		if (text[at] == '"') { // over the string
			for (++at; at < text.size() && text[at] != '"'; ++at) {
				at += text[at] == '\\' ? 1U : 0U;
			}
			++at;
			continue;
		}
		const std::string_view rest = std::string_view(text).substr(at);
		std::size_t length = 0;
		if (rest.starts_with("//")) {
			length = std::min(rest.find('\n'), rest.size());
		}
		else if (rest.starts_with("/*") && rest.find("*/", 2) != std::string_view::npos) {
			length = rest.find("*/", 2) + 2;
		}
		for (const std::size_t end = at + length; at < end; ++at) {
			text[at] = text[at] == '\n' ? '\n' : ' ';
		}
		at += length == 0 ? 1U : 0U;
	}
	return text;
}

Result<JsonText> JsonText::read(std::string text)
{
	JsonText json(withoutComments(std::move(text)));
	try {
		JsonPlaces places(json._plain);
		checkMembers(places, json._plain, places.document().begin);
	}
	catch (const JsonPlaces::Malformed& malformed) {
		return failure(LineCounter(json._plain).at(malformed.at) + ": it is not JSON: " + malformed.what);
	}
	catch (const Twice& twice) {
		return failure(LineCounter(json._plain).at(twice.at) + ": \"" + sanitize(twice.key) + "\" is there twice");
	}
	return json;
}

std::vector<std::string> JsonText::placesOf(const std::vector<std::string>& paths) const
{
	std::map<std::string, std::string> found; // of each path and of all above it; empty: there is no such value
	for (std::string path : paths) {
		while (found.try_emplace(path).second && !path.empty()) {
			path = parentOf(path);
		}
	}
	LineCounter lines(_plain);
	JsonPlaces places(_plain);
	walk(places, _plain, places.document().begin, {}, [&](const std::string& path, std::size_t at) {
		const auto wanted = found.find(path);
		if (wanted != found.end() && wanted->second.empty()) {
			wanted->second = lines.at(at);
		}
		return wanted != found.end();
	});
	std::vector<std::string> told;
	for (std::string path : paths) {
		while (found[path].empty()) {
			path = parentOf(path);
		}
		told.push_back(found[path]);
	}
	return told;
}

} // namespace issuer::commands
