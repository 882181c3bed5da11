#pragma once

#include "base/time.h"
#include "config/document.h"

#include <initializer_list>

namespace issuer::vault::config {

/// An error in a configuration, thrown inside the decoder; parseConfig() turns it into a value.
struct Wrong
{
	std::string text;
};

[[noreturn]] void refuse(const std::string& path, std::string_view why);

/// One object of the configuration, read by its keys. Every function throws Wrong, which names the key's path. Strings
/// hold no control characters.
class ObjectReader
{
public:
	/// Refuses a value that is no object, keys that the configuration does not have, and keys that stand twice. `path`
	/// is empty for the outermost object.
	ObjectReader(const Value& value, std::string path);

	[[nodiscard]] const Value* find(std::string_view key) const;
	[[nodiscard]] std::string pathOf(std::string_view key) const;
	[[nodiscard]] std::size_t size() const noexcept { return _members->size(); }

	/// Returns the object at `key`; an empty one if it is left out.
	[[nodiscard]] ObjectReader object(std::string_view key) const;

	/// Returns the text at `key`, or `otherwise` if the key is left out.
	[[nodiscard]] std::string text(std::string_view key, std::string_view otherwise = {}) const;
	[[nodiscard]] std::string absolutePath(std::string_view key) const;
	[[nodiscard]] bool flag(std::string_view key, bool otherwise) const;
	[[nodiscard]] double number(std::string_view key, double otherwise, double least, double most) const;
	[[nodiscard]] Duration duration(std::string_view key, Duration otherwise, Duration least, Duration most) const;
	/// Returns the index of the word at `key` among `words`; 0 if the key is left out.
	[[nodiscard]] std::size_t choice(std::string_view key, std::initializer_list<std::string_view> words) const;

private:
	std::string _path;
	const Members* _members;
};

/// Returns `value`, found at `path`, as a string.
[[nodiscard]] const std::string& textOf(const Value& value, const std::string& path);

} // namespace issuer::vault::config
