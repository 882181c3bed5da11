#include "commands/json_places.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <algorithm>
#include <array>

namespace issuer::commands {

namespace {

constexpr std::size_t deepest = 64;

bool isDigit(char c)
{
	return c >= '0' && c <= '9';
}

bool isHexDigit(char c)
{
	return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

} // namespace

std::string unescaped(std::string_view json)
{
	if (json.find('\\') == std::string_view::npos) {
		return std::string(json.substr(1, json.size() - 2));
	}
	return Poco::JSON::Parser()
		.parse('[' + std::string(json) + ']')
		.extract<Poco::JSON::Array::Ptr>()
		->getElement<std::string>(0);
}

std::size_t JsonPlaces::skipped(std::size_t at) const
{
	return std::min(_json.find_first_not_of(" \t\r\n", at), _json.size());
}

JsonPlaces::Range JsonPlaces::document()
{
	const std::size_t begin = skipped(0);
	const std::size_t end = value(begin);
	if (const std::size_t rest = skipped(end); rest != _json.size()) {
		throw Malformed{rest, "nothing more is wanted after the end"};
	}
	return {begin, end};
}

/// Skips the blanks and the comma after a member or an element. Returns the place of the next one, or of the end.
std::size_t JsonPlaces::next(std::size_t at, char close, const char* wanted) const
{
	at = skipped(at);
	if (charAt(at) == close) {
		return at;
	}
	if (charAt(at) != ',') {
		throw Malformed{at, wanted};
	}
	const std::size_t after = skipped(at + 1);
	if (charAt(after) == close) {
		throw Malformed{at, "after the last one no comma is wanted"};
	}
	return after;
}

std::size_t JsonPlaces::object(std::size_t at, const Member& member)
{
	for (at = skipped(at + 1); charAt(at) != '}';) {
		const std::size_t keyEnd = charAt(at) == '"' ? string(at) : throw Malformed{at, "a key in quotes is wanted"};
		const std::string key = unescaped(_json.substr(at, keyEnd - at));
		const std::size_t colon = skipped(keyEnd);
		if (charAt(colon) != ':') {
			throw Malformed{colon, "a colon is wanted"};
		}
		const std::size_t begin = skipped(colon + 1);
		const std::size_t end = value(begin);
		member(key, {begin, end});
		at = next(end, '}', "a comma or } is wanted");
	}
	return at + 1;
}

std::size_t JsonPlaces::array(std::size_t at, const Element& element)
{
	for (at = skipped(at + 1); charAt(at) != ']';) {
		const std::size_t end = value(at);
		element({at, end});
		at = next(end, ']', "a comma or ] is wanted");
	}
	return at + 1;
}

std::size_t JsonPlaces::string(std::size_t at) const
{
	const std::size_t begin = at;
	for (++at; charAt(at) != '"'; ++at) {
		if (at >= _json.size()) {
			throw Malformed{begin, "this string has no end"};
		}
		if (static_cast<unsigned char>(_json[at]) < 0x20) {
			throw Malformed{at, "a control character in a string is wanted as \\u00.."};
		}
		if (_json[at] != '\\') {
			continue;
		}
		++at;
		const bool known =
			charAt(at) != '\0' && std::string_view("\"\\/bfnrtu").find(charAt(at)) != std::string_view::npos;
		const bool hex = charAt(at) != 'u' || (isHexDigit(charAt(at + 1)) && isHexDigit(charAt(at + 2)) &&
												  isHexDigit(charAt(at + 3)) && isHexDigit(charAt(at + 4)));
		if (!known || !hex) {
			throw Malformed{at - 1, "there is no such escape; a backslash is written as two"};
		}
	}
	return at + 1;
}

std::size_t JsonPlaces::number(std::size_t at) const
{
	const auto digits = [this](std::size_t from) {
		std::size_t end = from;
		while (isDigit(charAt(end))) {
			++end;
		}
		return end > from ? end : throw Malformed{from, "a digit is wanted"};
	};
	at += charAt(at) == '-' ? 1U : 0U;
	const std::size_t whole = digits(at);
	if (charAt(at) == '0' && whole > at + 1) {
		throw Malformed{at, "a number does not begin with 0"};
	}
	at = charAt(whole) == '.' ? digits(whole + 1) : whole;
	if (charAt(at) == 'e' || charAt(at) == 'E') {
		at += charAt(at + 1) == '+' || charAt(at + 1) == '-' ? 2U : 1U;
		at = digits(at);
	}
	return at;
}

std::size_t JsonPlaces::word(std::size_t at) const
{
	for (const std::string_view word : {"true", "false", "null"}) {
		if (_json.substr(at).starts_with(word)) {
			return at + word.size();
		}
	}
	throw Malformed{at, "a value is wanted"};
}

std::size_t JsonPlaces::value(std::size_t at)
{
	if (_depth == deepest) {
		throw Malformed{at, "at most 64 levels are wanted"};
	}
	++_depth;
	const char first = charAt(at);
	const std::size_t end = first == '{'                     ? object(at, [](const std::string&, Range) {})
							: first == '['                   ? array(at, [](Range) {})
							: first == '"'                   ? string(at)
							: first == '-' || isDigit(first) ? number(at)
															 : word(std::min(at, _json.size()));
	--_depth;
	return end;
}

} // namespace issuer::commands
