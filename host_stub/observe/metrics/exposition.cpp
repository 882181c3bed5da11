#include "observe/metrics/exposition.h"

#include <array>
#include <charconv>

namespace issuer::observe {

namespace {

/// Appends a label's value, in which these three characters, and no others, are written with a backslash.
void appendEscaped(std::string& text, std::string_view value)
{
	if (value.find_first_of("\\\"\n") == std::string_view::npos) {
		text += value;
		return;
	}
	for (const char letter : value) {
		if (letter == '\n') {
			text += "\\n";
			continue;
		}
		if (letter == '\\' || letter == '"') {
			text += '\\';
		}
		text += letter;
	}
}

} // namespace

void Exposition::family(std::string_view type, std::string_view name, std::string_view help)
{
	_name = name;
	_text.append("# HELP ").append(name).append(1, ' ').append(help).append(1, '\n');
	_text.append("# TYPE ").append(name).append(1, ' ').append(type).append(1, '\n');
}

void Exposition::sample(std::initializer_list<Label> labels, double value)
{
	_text += _name;
	char separator = '{';
	for (const auto& [name, content] : labels) {
		_text.append(1, separator).append(name).append("=\"");
		appendEscaped(_text, content);
		_text += '"';
		separator = ',';
	}
	_text += labels.size() == 0 ? " " : "} ";
	std::array<char, 400> digits; // the longest double without an exponent has 309 before the point
	const auto end = std::to_chars(digits.begin(), digits.end(), value, std::chars_format::fixed).ptr;
	_text.append(digits.begin(), end).append(1, '\n');
}

} // namespace issuer::observe
