#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

namespace issuer::loader {

/// The files that the processes of this machine have mapped, as /proc/*/maps shows them.
struct MappedFiles
{
	std::set<std::string> paths;
	std::set<std::pair<std::uint64_t, std::uint64_t>> inodes; ///< device and inode
	/// Number of other users' processes, whose maps cannot be read.
	std::size_t hidden = 0;

	/// Returns whether a file is mapped, by name or by inode: a process in a container sees it under another name, and
	/// some file systems show another device there than stat() does.
	[[nodiscard]] bool contains(const std::filesystem::path& file) const;
};

[[nodiscard]] MappedFiles mappedFiles();

} // namespace issuer::loader
