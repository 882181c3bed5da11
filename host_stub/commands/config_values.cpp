#include "commands/config_values.h"

#include "common/duration.h"
#include "common/text.h"

#include <algorithm>

namespace issuer::commands {

using Poco::Dynamic::Var;
using Poco::JSON::Object;

Wrong wrongAt(const std::string& path, const std::string& text)
{
	return {path, path.empty() ? "the configuration: " + text : path + ": " + text};
}

std::string member(const std::string& path, const std::string& key)
{
	return path.empty() ? key : path + '.' + key;
}

namespace {

std::string listed(std::initializer_list<std::string_view> keys)
{
	std::string text;
	for (const std::string_view key : keys) {
		text += (text.empty() ? "" : ", ") + std::string(key);
	}
	return text;
}

} // namespace

Object::Ptr objectAt(
	const Var& value, const std::string& path, std::initializer_list<std::string_view> keys, std::vector<Wrong>* faults)
{
	if (value.type() != typeid(Object::Ptr)) {
		throw wrongAt(path, "an object is wanted");
	}
	const auto object = value.extract<Object::Ptr>();
	for (const auto& [key, ignored] : *object) {
		if (std::ranges::find(keys, key) == keys.end()) {
			const Wrong wrong =
				wrongAt(member(path, sanitize(key)), "there is no such key; the keys here are " + listed(keys));
			if (faults == nullptr) {
				throw wrong;
			}
			faults->push_back(wrong);
		}
	}
	return object;
}

std::string stringAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (value.isEmpty()) {
		throw wrongAt(member(path, key), "it is missing");
	}
	if (!value.isString() || value.extract<std::string>().empty()) {
		throw wrongAt(member(path, key), "a string is wanted");
	}
	return value.extract<std::string>();
}

std::chrono::milliseconds durationAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	const Result<std::chrono::milliseconds> duration = value.isBoolean() || !(value.isString() || value.isNumeric())
														   ? failure("a duration such as \"10s\" is wanted")
														   : parseDuration(value.toString());
	if (!duration) {
		throw wrongAt(member(path, key), duration.error().text);
	}
	return *duration;
}

std::filesystem::path pathAt(
	const Object& object, const std::string& path, const std::string& key, const std::filesystem::path& folder)
{
	return (folder / stringAt(object, path, key)).lexically_normal();
}

bool flagAt(const Object& object, const std::string& path, const std::string& key)
{
	const Var value = object.get(key);
	if (!value.isEmpty() && !value.isBoolean()) {
		throw wrongAt(member(path, key), "true or false is wanted");
	}
	return !value.isEmpty() && value.convert<bool>();
}

unsigned numberAt(const Object& object, const std::string& path, const std::string& key, unsigned least, unsigned most)
{
	const Var value = object.get(key);
	const std::string wanted = "a number from " + std::to_string(least) + " to " + std::to_string(most) + " is wanted";
	if (!value.isInteger() || value.isBoolean() || value.convert<double>() < least || value.convert<double>() > most) {
		throw wrongAt(member(path, key), wanted);
	}
	return value.convert<unsigned>();
}

} // namespace issuer::commands
