#pragma once

#include "common/result.h"
#include "loader/plugin.h"

#include <map>
#include <memory>
#include <sys/types.h>
#include <vector>

namespace issuer::loader {

/// The plugins in use, each loaded once for all the issuers that name it. [control-thread]
class Plugins
{
public:
	/// The fate of the library when a use of it ended.
	enum class Release
	{
		inUse,  ///< other issuers use it
		closed, ///< no longer in memory
		pinned, ///< unused, but something keeps it in memory: its path cannot take another version
	};

	virtual ~Plugins() = default;

	/// Checks the file and loads it, or returns the plugin that was loaded from it before. The error is a sentence that
	/// names the path and the reason.
	[[nodiscard]] virtual Result<std::shared_ptr<const Plugin>> open(const PluginFile& file) = 0;

	/// Ends one use. Instances, tables and strings obtained from it must be gone.
	virtual Release release(std::shared_ptr<const Plugin> plugin) = 0;
};

/// Plugins from the file system, through the dynamic loader.
///
/// A path that is loaded keeps its version: the dynamic loader knows libraries by name and would silently return the
/// old code although the file was replaced. So a changed file under a loaded path is refused, as is a second path to a
/// loaded file.
class PluginLibraries final : public Plugins
{
public:
	[[nodiscard]] Result<std::shared_ptr<const Plugin>> open(const PluginFile& file) override;
	Release release(std::shared_ptr<const Plugin> plugin) override;

private:
	/// Identifies the content of a file without reading it.
	struct Stamp
	{
		dev_t device;
		ino_t inode;
		off_t size;
		std::int64_t modifiedNs;

		friend bool operator==(const Stamp&, const Stamp&) = default;
	};

	/// A library that was loaded; without `plugin`, it is unused but something keeps it in memory.
	struct Entry
	{
		Stamp stamp;
		std::weak_ptr<const Plugin> plugin;
	};

	static Result<Stamp> stampOf(const std::filesystem::path& path);
	Result<std::shared_ptr<const Plugin>> load(const std::filesystem::path& path, const PluginFile& file, Stamp stamp);

	std::map<std::filesystem::path, Entry> _entries; ///< by the path without symbolic links
	std::vector<std::shared_ptr<const Plugin>> _neverUnloaded;
};

} // namespace issuer::loader
