#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>

namespace issuer::commands {

/// Walks over JSON that a parser has accepted, and tells the positions of its values.
class JsonPlaces
{
public:
	struct Range
	{
		std::size_t begin;
		std::size_t end;
	};

	explicit JsonPlaces(std::string_view json) : _json(json) {}

	/// Calls `member` with each key of the object that begins at `at`, and the position of its value; returns the
	/// object's end.
	std::size_t object(std::size_t at, const std::function<void(std::string_view key, Range value)>& member)
	{
		for (at = skipped(at + 1); _json.at(at) != '}'; at = after(at)) {
			const std::size_t keyEnd = string(at);
			const std::string_view key = _json.substr(at + 1, keyEnd - at - 2);
			const std::size_t begin = skipped(skipped(keyEnd) + 1); // past the colon
			at = value(begin);
			member(key, {begin, at});
		}
		return at + 1;
	}

	/// Does the same for the elements of an array.
	std::size_t array(std::size_t at, const std::function<void(Range value)>& element)
	{
		for (at = skipped(at + 1); _json.at(at) != ']'; at = after(at)) {
			const std::size_t begin = at;
			at = value(begin);
			element({begin, at});
		}
		return at + 1;
	}

	[[nodiscard]] std::size_t skipped(std::size_t at) const
	{
		return std::min(_json.find_first_not_of(" \t\r\n", at), _json.size());
	}

private:
	/// Returns the position past a comma, if there is one.
	[[nodiscard]] std::size_t after(std::size_t at) const
	{
		at = skipped(at);
		return _json.at(at) == ',' ? skipped(at + 1) : at;
	}

	[[nodiscard]] std::size_t string(std::size_t at) const
	{
		for (++at; _json.at(at) != '"'; ++at) {
			at += _json.at(at) == '\\' ? 1U : 0U;
		}
		return at + 1;
	}

	std::size_t value(std::size_t at)
	{
		switch (_json.at(at)) {
		case '{':
			return object(at, [](std::string_view, Range) {});
		case '[':
			return array(at, [](Range) {});
		case '"':
			return string(at);
		}
		return std::min(_json.find_first_of(",]} \t\r\n", at), _json.size());
	}

	const std::string_view _json;
};

} // namespace issuer::commands
