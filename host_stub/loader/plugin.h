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
	/// absolute; of a plugin that is named: the file its name stands for, empty until resolved().
	std::filesystem::path path;
	std::optional<std::string> sha256; ///< lower-case hexadecimal; when given, the file must match
	std::string name = std::string();  ///< «vault» or «vault@0.1», see resolved(); empty: it is named by its path

	/// Returns it as the operator named it.
	[[nodiscard]] std::string wanted() const { return name.empty() ? path.string() : name; }

	friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

/// A plugin's description of itself, copied: it outlives the library.
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

	/// Returns name and version for messages.
	[[nodiscard]] std::string nameAndVersion() const { return name + ' ' + version; }
};

/// A plugin that is loaded and has been found fit to be driven. Everything obtained from it ends with it.
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

	/// Returns the plugin's extension table, as large as its own struct_size says; null: it has none.
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
