#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

namespace issuer::loader {

/// What the processes of this machine have mapped, as /proc/*/maps shows it.
struct MappedFiles
{
	std::set<std::string> paths;
	std::set<std::pair<std::uint64_t, std::uint64_t>> inodes; ///< device and inode
	std::size_t hidden = 0;                                   ///< processes of others, which one may not look into

	/// By name or by what it is: a process in a container sees it under another name, and some file systems show
	/// another device there than stat() does.
	[[nodiscard]] bool contains(const std::filesystem::path& file) const;
};

[[nodiscard]] MappedFiles mappedFiles();

} // namespace issuer::loader
