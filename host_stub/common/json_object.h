#pragma once

#include "common/text.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace issuer {

/// Builds the text of a JSON object, keys in the order of their calls.
class JsonObject
{
public:
	JsonObject& add(std::string_view key, std::string_view value) { return addJson(key, jsonString(value)); }
	JsonObject& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
	JsonObject& add(std::string_view key, bool value) { return addJson(key, value ? "true" : "false"); }
	JsonObject& add(std::string_view key, std::integral auto value) { return addJson(key, std::to_string(value)); }
	/// Adds null if there is no value.
	JsonObject& add(std::string_view key, std::optional<std::int64_t> value)
	{
		return addJson(key, value ? std::to_string(*value) : "null");
	}

	/// Adds `json`, a value already written as JSON.
	JsonObject& addJson(std::string_view key, std::string_view json)
	{
		_text += _text.size() > 1 ? "," : "";
		_text += jsonString(key);
		_text += ':';
		_text += json;
		return *this;
	}

	[[nodiscard]] std::string text() const { return _text + '}'; }

private:
	std::string _text = "{";
};

/// Returns the text of a JSON array of what `write` makes of each element: a value already written as JSON.
template <class Range, class Write>
[[nodiscard]] std::string jsonArray(const Range& range, const Write& write)
{
	std::string text = "[";
	for (const auto& element : range) {
		text += text.size() > 1 ? "," : "";
		text += write(element);
	}
	return text + ']';
}

} // namespace issuer
