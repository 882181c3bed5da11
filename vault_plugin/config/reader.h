#pragma once

#include "base/time.h"
#include "config/document.h"

#include <initializer_list>

namespace issuer::vault::config {

/// What is wrong with a configuration, on its way out of the decoder as an exception; parseConfig() makes a value of
/// it.
struct Wrong
{
	std::string text;
};

[[noreturn]] void refuse(const std::string& path, std::string_view why);

/// One object of the configuration, read by its keys. Every function names the key's path in what it throws (Wrong).
/// Strings hold no control characters.
class ObjectReader
{
public:
	/// Refuses what is no object, keys that the configuration does not have, and keys that stand twice.
	/// `path` is empty for the outermost object.
	ObjectReader(const Value& value, std::string path);

	[[nodiscard]] const Value* find(std::string_view key) const;
	[[nodiscard]] std::string pathOf(std::string_view key) const;
	[[nodiscard]] std::size_t size() const noexcept { return _members->size(); }

	/// Those of an object that is left out are all left out.
	[[nodiscard]] ObjectReader object(std::string_view key) const;

	/// What stands at `key`, or `otherwise` where nothing does.
	[[nodiscard]] std::string text(std::string_view key, std::string_view otherwise = {}) const;
	[[nodiscard]] std::string absolutePath(std::string_view key) const;
	[[nodiscard]] bool flag(std::string_view key, bool otherwise) const;
	[[nodiscard]] double number(std::string_view key, double otherwise, double least, double most) const;
	[[nodiscard]] Duration duration(std::string_view key, Duration otherwise, Duration least, Duration most) const;
	/// The place of the word among `words`, the first of which is meant where nothing stands.
	[[nodiscard]] std::size_t choice(std::string_view key, std::initializer_list<std::string_view> words) const;

private:
	std::string _path;
	const Members* _members;
};

/// The string that `value`, at `path`, is.
[[nodiscard]] const std::string& textOf(const Value& value, const std::string& path);

} // namespace issuer::vault::config
