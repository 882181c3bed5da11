#include "fake_vault/fields.h"

#include "fake_vault/lease.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>
#include <Poco/RegularExpression.h>
#include <Poco/String.h>
#include <Poco/StringTokenizer.h>

namespace issuer::test {
namespace {

using Poco::Dynamic::Var;

constexpr const char* notAnObject = "failed to decode JSON input: json: cannot unmarshal ";

/// Go keeps the digits of a number; Poco would refuse those beyond 64 bits and turn 1.5 into a double. As strings both
/// keep them.
std::string numbersAsText(std::string body)
{
	const Poco::RegularExpression number(R"((:\s*)(-?\d+\.\d+|-?\d{19,}|-?\d+[eE][-+]?\d+))");
	number.subst(body, "$1\"$2\"", Poco::RegularExpression::RE_GLOBAL);
	return body;
}

/// Go's words for a body that is JSON, but no object; empty: neither an object nor anything else that begins like JSON.
std::string kindOf(char first)
{
	switch (first) {
	case '[':
		return "array";
	case '"':
		return "string";
	case 't':
	case 'f':
		return "bool";
	default:
		return (first >= '0' && first <= '9') || first == '-' ? "number" : "";
	}
}

} // namespace

tl::expected<Fields, std::string> Fields::decode(const std::string& body)
{
	const std::string text = Poco::trim(body);
	if (text.empty() || text == "null") {
		return Fields(makeJson());
	}
	if (text.front() != '{') {
		if (const auto kind = kindOf(text.front()); !kind.empty()) {
			return tl::unexpected(notAnObject + kind + " into Go value of type map[string]interface {}");
		}
		return tl::unexpected("failed to decode JSON input: invalid character '" + text.substr(0, 1) +
							  "' looking for beginning of value");
	}
	try {
		Poco::JSON::Parser parser;
		return Fields(parser.parse(numbersAsText(text)).extract<Json::Ptr>());
	}
	catch (const Poco::Exception&) {
		return tl::unexpected<std::string>("failed to decode JSON input: unexpected EOF");
	}
}

bool Fields::has(const std::string& name) const
{
	return _json->has(name) && !_json->get(name).isEmpty();
}

void Fields::fail(const std::string& name, const std::string& problem)
{
	if (!_error) {
		_error = "Field validation failed: error converting input for field \"" + name + "\": " + problem;
	}
}

std::chrono::seconds Fields::duration(const std::string& name)
{
	if (!has(name)) {
		return {};
	}
	const Var value = _json->get(name);
	if (value.isBoolean() || !(value.isString() || value.isNumeric())) {
		fail(name, "could not parse duration from input");
		return {};
	}
	const auto duration = lease::parse(value.toString());
	if (!duration) {
		fail(name, duration.error());
		return {};
	}
	return *duration;
}

std::chrono::milliseconds Fields::pause(const std::string& name, std::chrono::milliseconds otherwise)
{
	if (!has(name)) {
		return otherwise;
	}
	const std::string value = text(name);
	int number = 0;
	const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
	const std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
	if (error != std::errc() || number < 0 || (!unit.empty() && unit != "ms" && unit != "s")) {
		fail(name, "not a duration like \"250ms\" or \"2s\"");
	}
	return unit == "ms" ? std::chrono::milliseconds(number) : std::chrono::seconds(number);
}

int Fields::number(const std::string& name)
{
	int number = 0;
	if (has(name)) {
		try {
			number = _json->get(name).convert<int>();
		}
		catch (const Poco::Exception&) {
			fail(name, "not a number");
		}
	}
	return number;
}

bool Fields::flag(const std::string& name, bool otherwise)
{
	if (!has(name)) {
		return otherwise;
	}
	const auto text = _json->get(name).toString();
	if (text != "true" && text != "false") {
		fail(name, "not a boolean");
	}
	return text == "true";
}

std::string Fields::text(const std::string& name, const std::string& otherwise)
{
	return has(name) ? _json->get(name).toString() : otherwise;
}

std::vector<std::string> Fields::list(const std::string& name)
{
	std::vector<std::string> items;
	if (!has(name)) {
		return items;
	}
	if (const auto array = _json->getArray(name)) {
		std::ranges::transform(*array, std::back_inserter(items), [](const Var& item) { return item.toString(); });
		return items;
	}
	const Poco::StringTokenizer words(
		text(name), ",", Poco::StringTokenizer::TOK_TRIM | Poco::StringTokenizer::TOK_IGNORE_EMPTY);
	items.assign(words.begin(), words.end());
	return items;
}

Fields Fields::object(const std::string& name) const
{
	const auto object = has(name) ? _json->getObject(name) : nullptr;
	return Fields(object ? object : makeJson());
}

std::map<std::string, std::string> Fields::map(const std::string& name)
{
	std::map<std::string, std::string> entries;
	if (const auto object = _json->getObject(name)) {
		for (const auto& [key, value] : *object) {
			entries[key] = value.toString();
		}
	}
	return entries;
}

std::vector<std::string> Fields::warnings(std::initializer_list<const char*> known) const
{
	std::string unknown;
	for (const auto& [name, value] : *_json) { // sorted, as the server's own list is
		if (std::ranges::find(known, name) == known.end()) {
			unknown += (unknown.empty() ? "" : " ") + name;
		}
	}
	if (unknown.empty()) {
		return {};
	}
	return {"Endpoint ignored these unrecognized parameters: [" + unknown + "]"};
}

} // namespace issuer::test
