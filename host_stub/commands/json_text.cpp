#include "commands/json_text.h"

#include "commands/json_places.h"
#include "common/text.h"

#include <algorithm>
#include <set>

namespace issuer::commands {

namespace {

/// A member that is there twice.
struct Twice
{
	std::size_t at;
	std::string key;
};

/// Returns line and column of the byte at `at`, as editors count.
std::string lineAndColumn(std::string_view text, std::size_t at)
{
	const std::string_view before = text.substr(0, at);
	const std::size_t begin = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
	const auto isCharacter = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
	return "line " + std::to_string(std::ranges::count(before, '\n') + 1) + ", column " +
		   std::to_string(std::ranges::count_if(before.substr(begin), isCharacter) + 1);
}

/// Calls `visit` with the path and place of each value inside the one at `at`. Throws Twice.
template <class Visit>
void walk(JsonPlaces& places, std::string_view json, std::size_t at, const std::string& path, const Visit& visit)
{
	visit(path, at);
	if (json[at] == '{') {
		std::set<std::string> keys;
		places.object(at, [&](const std::string& key, JsonPlaces::Range value) {
			if (!keys.insert(key).second) { // a parser would silently keep the last
				throw Twice{value.begin, key};
			}
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
		walk(places, json._plain, places.document().begin, {}, [](const std::string&, std::size_t) {});
	}
	catch (const JsonPlaces::Malformed& malformed) {
		return failure(lineAndColumn(json._plain, malformed.at) + ": it is not JSON: " + malformed.what);
	}
	catch (const Twice& twice) {
		return failure(lineAndColumn(json._plain, twice.at) + ": \"" + sanitize(twice.key) + "\" is there twice");
	}
	return json;
}

std::string JsonText::placeOf(std::string path) const
{
	if (!_places) {
		_places.emplace();
		JsonPlaces places(_plain);
		walk(places, _plain, places.document().begin, {},
			[this](const std::string& its, std::size_t at) { _places->emplace(its, at); });
	}
	for (;;) {
		if (const auto found = _places->find(path); found != _places->end()) {
			return lineAndColumn(_plain, found->second);
		}
		const std::size_t last = path.find_last_of(".[");
		path.erase(last == std::string::npos ? 0 : last);
	}
}

} // namespace issuer::commands
