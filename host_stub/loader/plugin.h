#pragma once

#include <cstdint>
#include <filesystem>
#include <issuer/lifecycle.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace issuer::loader {

/// A plugin file as a configuration names it.
struct PluginFile
{
	std::filesystem::path path;        ///< by name: what that came to; empty: nothing yet
	std::optional<std::string> sha256; ///< lower-case hexadecimal; when given, the file must match
	std::string name = std::string();  ///< «vault» or «vault@0.1»: see resolved(); empty: it is named by its path

	/// As people named it.
	[[nodiscard]] std::string wanted() const { return name.empty() ? path.string() : name; }

	friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

/// What a plugin says about itself, copied: it outlives the library.
struct Description
{
	std::filesystem::path path; ///< without symbolic links
	std::string sha256;
	std::string id;
	std::string name;
	std::string version;
	std::optional<std::string> configSchema;
	std::uint16_t abiMajor = 0;
	std::uint16_t abiMinor = 0;
	std::uint32_t structSize = 0;
	std::uint32_t flags = 0;

	/// As people are told it.
	[[nodiscard]] std::string nameAndVersion() const { return name + ' ' + version; }
};

/// A plugin, loaded and found fit to be driven. Everything obtained from it ends with it.
class Plugin
{
public:
	/// `library` owns the code behind `table`.
	Plugin(Description description, const issuer_lifecycle& table, std::shared_ptr<const void> library)
		: _description(std::move(description)), _table(table), _library(std::move(library))
	{
	}

	[[nodiscard]] const Description& description() const { return _description; }
	[[nodiscard]] const issuer_lifecycle& table() const { return _table; }

	/// The plugin's extension table, as large as its own struct_size says; null: it has none.
	template <class Table>
	[[nodiscard]] const Table* extension(const char* id) const
	{
		return static_cast<const Table*>(_table.get_extension(id));
	}

private:
	Description _description;
	const issuer_lifecycle& _table;
	std::shared_ptr<const void> _library;
};

} // namespace issuer::loader
