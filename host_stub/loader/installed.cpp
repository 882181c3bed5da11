#include "loader/installed.h"

#include "common/text.h"
#include "loader/version.h"

#include <algorithm>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

bool isSum(std::string_view text)
{
	return text.size() == 12 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool isNewer(const InstalledVersion& one, const InstalledVersion& other)
{
	if (const auto byVersion = compareVersions(one.version, other.version); byVersion != 0) {
		return byVersion > 0;
	}
	std::error_code gone; // ignored: a file that is gone meanwhile may come at any place in the order
	return fs::last_write_time(one.file, gone) > fs::last_write_time(other.file, gone);
}

} // namespace

std::vector<InstalledVersion> installedVersions(const fs::path& plugins, const std::string& plugin)
{
	std::vector<InstalledVersion> found;
	std::error_code error;
	for (const fs::directory_entry& entry : fs::directory_iterator(plugins / plugin, error)) {
		const fs::path file = entry.path() / (plugin + "_plugin.so");
		const std::string folder = entry.path().filename().string();
		if (entry.is_symlink(error) || !fs::is_regular_file(file, error)) {
			continue;
		}
		const std::size_t dash = folder.rfind('-');
		const bool staged = dash != std::string::npos && isSum(std::string_view(folder).substr(dash + 1));
		found.push_back({plugin, folder.substr(0, staged ? dash : folder.size()),
			staged ? folder.substr(dash + 1) : std::string(), file});
	}
	std::ranges::sort(found, isNewer);
	return found;
}

PluginFile pluginNamed(const std::string& text, const fs::path& folder)
{
	if (text.find('/') == std::string::npos && !text.ends_with(".so")) {
		return {{}, std::nullopt, text};
	}
	return {(folder / text).lexically_normal(), std::nullopt, {}};
}

Result<PluginFile> resolved(PluginFile file, const fs::path& plugins)
{
	if (file.name.empty()) {
		return file;
	}
	const std::size_t at = std::min(file.name.find('@'), file.name.size());
	const std::string plugin = file.name.substr(0, at);
	const std::string version = file.name.substr(std::min(at + 1, file.name.size()));
	if (plugin.empty() || plugin.front() == '.') {
		return failure(
			"\"" + sanitize(file.name) + "\" is neither a path nor a plugin's name such as vault or vault@0.1");
	}
	std::string others;
	for (InstalledVersion& installed : installedVersions(plugins, plugin)) {
		if (isVersionOf(installed.version, version) || installed.file.parent_path().filename() == version) {
			file.path = std::move(installed.file);
			return file;
		}
		others += (others.empty() ? "; there is " : ", ") + sanitize(installed.version);
	}
	return failure("plugin " + sanitize(file.name) + " is not installed under " + (plugins / plugin).string() + others);
}

std::vector<std::string> pluginsIn(const fs::path& plugins)
{
	std::vector<std::string> found;
	std::error_code error;
	for (const fs::directory_entry& entry : fs::directory_iterator(plugins, error)) {
		const std::string name = entry.path().filename().string();
		if (!entry.is_symlink(error) && entry.is_directory(error) && !name.starts_with('.')) {
			found.push_back(name);
		}
	}
	std::ranges::sort(found);
	return found;
}

} // namespace issuer::loader
