#include "config/reader.h"

#include "base/duration_text.h"
#include "config/keys.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace issuer::vault::config {
namespace {

/// Returns whether a key may be repeated in an error: it is a word, and too short for a misplaced token.
bool looksLikeAKey(std::string_view key)
{
	constexpr std::size_t longest = 24;
	return !key.empty() && key.size() <= longest && std::ranges::all_of(key, [](char c) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
	});
}

[[noreturn]] void refuseUnknown(const std::string& object, const std::string& key, const std::string& path)
{
	if (const auto ours = agentsKey(path)) {
		refuse(path, "unknown: what Vault Agent calls so is here " + std::string(*ours));
	}
	if (!looksLikeAKey(key)) {
		refuse(object.empty() ? "the configuration" : object, "holds an unknown key that does not even look like one");
	}
	const auto meant = nearestKey(path);
	refuse(path, meant ? "unknown; did you mean " + std::string(*meant) + "?" : "unknown: there is no such key");
}

[[noreturn]] void refuseKind(const std::string& path, std::string_view wanted, const Value& found)
{
	refuse(path, std::string(wanted) + " is wanted, found " + kindOf(found));
}

std::string shortText(double number)
{
	std::array<char, 32> text{};
	auto* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
	return std::string(text.data(), end);
}

} // namespace

void refuse(const std::string& path, std::string_view why)
{
	throw Wrong{path + ": " + std::string(why)};
}

const std::string& textOf(const Value& value, const std::string& path)
{
	const auto* const text = std::get_if<std::string>(&value.of);
	if (text == nullptr) {
		refuseKind(path, "a string", value);
	}
	if (std::ranges::any_of(*text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; })) {
		refuse(path, "holds a control character");
	}
	return *text;
}

ObjectReader::ObjectReader(const Value& value, std::string path)
	: _path(std::move(path)), _members(std::get_if<Members>(&value.of))
{
	if (_members == nullptr) {
		refuseKind(_path.empty() ? "the configuration" : _path, "an object", value);
	}
	for (auto member = _members->begin(); member != _members->end(); ++member) {
		const auto& key = member->key;
		if (key.find('.') != key.npos || !isKey(pathOf(key))) {
			refuseUnknown(_path, key, pathOf(key));
		}
		if (std::any_of(_members->begin(), member, [&](const auto& earlier) { return earlier.key == key; })) {
			refuse(pathOf(key), "stands twice");
		}
	}
}

const Value* ObjectReader::find(std::string_view key) const
{
	const auto member = std::ranges::find(*_members, key, &Member::key);
	return member == _members->end() ? nullptr : &member->value;
}

std::string ObjectReader::pathOf(std::string_view key) const
{
	return _path.empty() ? std::string(key) : _path + "." + std::string(key);
}

ObjectReader ObjectReader::object(std::string_view key) const
{
	static const Value none{Members()};
	const auto* const value = find(key);
	return {value != nullptr ? *value : none, pathOf(key)};
}

std::string ObjectReader::text(std::string_view key, std::string_view otherwise) const
{
	const auto* const value = find(key);
	return value != nullptr ? textOf(*value, pathOf(key)) : std::string(otherwise);
}

std::string ObjectReader::absolutePath(std::string_view key) const
{
	constexpr std::size_t longest = 4095; // PATH_MAX, less its closing zero
	auto path = text(key);
	if (find(key) != nullptr && !path.starts_with('/')) {
		refuse(pathOf(key), "an absolute path is wanted: a plugin does not know what directory it is run in");
	}
	if (path.size() > longest) {
		refuse(pathOf(key), "longer than a path may be");
	}
	return path;
}

bool ObjectReader::flag(std::string_view key, bool otherwise) const
{
	const auto* const value = find(key);
	if (value == nullptr) {
		return otherwise;
	}
	const auto* const truth = std::get_if<bool>(&value->of);
	if (truth == nullptr) {
		refuseKind(pathOf(key), "true or false", *value);
	}
	return *truth;
}

double ObjectReader::number(std::string_view key, double otherwise, double least, double most) const
{
	const auto* const value = find(key);
	if (value == nullptr) {
		return otherwise;
	}
	const auto wanted = "a number from " + shortText(least) + " to " + shortText(most);
	const auto* const number = std::get_if<double>(&value->of);
	if (number == nullptr) {
		refuseKind(pathOf(key), wanted, *value);
	}
	if (!(*number >= least && *number <= most)) {
		refuse(pathOf(key), wanted + " is wanted, found " + shortText(*number));
	}
	return *number;
}

Duration ObjectReader::duration(std::string_view key, Duration otherwise, Duration least, Duration most) const
{
	const auto* const value = find(key);
	if (value == nullptr) {
		return otherwise;
	}
	const auto path = pathOf(key);
	const auto wanted = "a length of time from " + durationText(least) + " to " + durationText(most);
	using Seconds = std::chrono::duration<double>;
	if (const auto* const seconds = std::get_if<double>(&value->of)) {
		if (!(Seconds(*seconds) >= least && Seconds(*seconds) <= most)) {
			refuse(path, wanted + " is wanted, found " + shortText(*seconds) + " seconds");
		}
		return std::chrono::round<Duration>(Seconds(*seconds));
	}
	if (!std::holds_alternative<std::string>(value->of)) {
		refuseKind(path, wanted + ", in seconds or such as \"1h30m\",", *value);
	}
	const auto duration = parseDuration(textOf(*value, path));
	if (!duration) {
		refuse(path, duration.error().text);
	}
	if (*duration < least || *duration > most) {
		refuse(path, wanted + " is wanted, found " + durationText(*duration));
	}
	return *duration;
}

std::size_t ObjectReader::choice(std::string_view key, std::initializer_list<std::string_view> words) const
{
	const auto word = text(key, *words.begin());
	const auto* const found = std::ranges::find(words, word);
	if (found == words.end()) {
		std::string wanted;
		for (const auto& one : words) {
			wanted += (wanted.empty() ? "\"" : &one == words.end() - 1 ? " or \"" : ", \"") + std::string(one) + '"';
		}
		// The text is not repeated: it may be the token in the wrong place.
		refuse(
			pathOf(key), wanted + " is wanted, found another text of " + std::to_string(word.size()) + " characters");
	}
	return static_cast<std::size_t>(found - words.begin());
}

} // namespace issuer::vault::config
