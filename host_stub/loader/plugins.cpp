#include "loader/plugins.h"

#include "loader/contract_check.h"
#include "loader/elf_check.h"
#include "loader/file_rules.h"
#include "loader/library.h"
#include "loader/sha256.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

std::int64_t nanoseconds(const timespec& time)
{
	return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Result<void> checkPin(const PluginFile& file, const std::string& sha256)
{
	if (!file.sha256 || *file.sha256 == sha256) {
		return {};
	}
	return failure("its SHA-256 is " + sha256 + ", the configuration wants " + *file.sha256);
}

/// Loads and describes a plugin. If that fails, the library is not kept loaded.
Result<std::shared_ptr<const Plugin>> loadAndDescribe(const fs::path& path, const std::string& sha256)
{
	Result<std::shared_ptr<const issuer_lifecycle>> table = loadLibrary(path);
	if (!table) {
		return tl::unexpected(table.error());
	}
	return describe(**table).map([&](Description description) {
		description.path = path;
		description.sha256 = sha256;
		const issuer_lifecycle& lifecycle = **table;
		return std::make_shared<const Plugin>(std::move(description), lifecycle, std::move(*table));
	});
}

} // namespace

Result<PluginLibraries::Stamp> PluginLibraries::stampOf(const fs::path& path)
{
	struct stat status
	{
	};
	if (::stat(path.c_str(), &status) != 0) {
		return failure(std::strerror(errno));
	}
	return Stamp{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim)};
}

Result<std::shared_ptr<const Plugin>> PluginLibraries::open(const PluginFile& file)
{
	return checkPluginPath(file.path)
		.and_then([&](const fs::path& path) {
			return stampOf(path).and_then([&](Stamp stamp) { return load(path, file, stamp); });
		})
		.map_error(
			[&](const Error& reason) { return Error{"plugin " + file.path.string() + " refused: " + reason.text}; });
}

Result<std::shared_ptr<const Plugin>> PluginLibraries::load(const fs::path& path, const PluginFile& file, Stamp stamp)
{
	if (const auto known = _entries.find(path); known != _entries.end()) {
		if (known->second.stamp != stamp) {
			return failure("another version is still loaded from this path; install each version at a path of its own");
		}
		if (auto plugin = known->second.plugin.lock()) {
			return checkPin(file, plugin->description().sha256).map([&] { return plugin; });
		}
	}

	if (Result<void> ok = checkElf(path); !ok) {
		return tl::unexpected(ok.error());
	}
	if (isMapped(path) && !_entries.contains(path)) {
		return failure("its file is already loaded under another name; copy it instead of linking it");
	}
	Result<std::string> sha256 = sha256Of(path);
	if (Result<void> ok = sha256.and_then([&](const std::string& sum) { return checkPin(file, sum); }); !ok) {
		return tl::unexpected(ok.error());
	}
	auto plugin = loadAndDescribe(path, *sha256);
	// A refused plugin may stay in memory as well, and then its path can take no other version.
	if (plugin || isMapped(path)) {
		_entries.insert_or_assign(path, Entry{stamp, plugin.value_or(nullptr)});
	}
	if (plugin && ((*plugin)->description().flags & ISSUER_F_NEVER_UNLOAD) != 0) {
		_neverUnloaded.push_back(*plugin);
	}
	return plugin;
}

Plugins::Release PluginLibraries::release(std::shared_ptr<const Plugin> plugin)
{
	const fs::path path = plugin->description().path;
	const bool neverUnloaded = std::ranges::find(_neverUnloaded, plugin) != _neverUnloaded.end();
	const long others = plugin.use_count() - 1 - (neverUnloaded ? 1 : 0);
	plugin.reset();
	if (others > 0) {
		return Release::inUse;
	}
	if (isMapped(path)) {
		return Release::pinned;
	}
	_entries.erase(path);
	return Release::closed;
}

} // namespace issuer::loader
