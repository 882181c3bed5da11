#pragma once

#include "common/result.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The project that `issuer-host new-plugin` writes.
namespace issuer::new_plugin {

/// A file of the project, as it stands in new_plugin/template/: a plugin of the name new-plugin.
struct Template
{
	std::string_view path; ///< below the project's folder
	std::string_view text;
};

[[nodiscard]] const std::vector<Template>& templates();

/// The three forms of a name.
struct Names
{
	std::string kebab;  ///< my-token: the plugin's id
	std::string snake;  ///< my_token: files, targets and the namespace
	std::string pascal; ///< MyToken: the class
};

/// Returns the forms of a name of lower-case words and digits, joined by «-» or «_». The error says what is wanted.
[[nodiscard]] Result<Names> namesOf(std::string_view name);

/// Returns a template's text or path, with its name in each form replaced by `names`.
[[nodiscard]] std::string named(std::string_view text, const Names& names);

/// Writes the project into `folder`, which it creates; an empty one will do. The error is a sentence that names the
/// path. Nothing that exists is overwritten.
[[nodiscard]] Result<void> writeProject(const Names& names, const std::filesystem::path& folder);

} // namespace issuer::new_plugin
