#include "loader/file_rules.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

Result<void> checkOwner(const fs::path& path, const struct stat& status)
{
	if (status.st_uid == 0 || status.st_uid == ::geteuid()) {
		return {};
	}
	return failure(path.string() + " belongs to user " + std::to_string(status.st_uid) +
				   ", and that user could replace the code; it must belong to root or to the user the host runs as");
}

Result<void> checkWriters(const fs::path& path, const struct stat& status)
{
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0)) {
		return {};
	}
	return failure(
		path.string() + " is writable by its group or by others, and they could replace the code; chmod go-w it");
}

Result<void> checkEntry(const fs::path& path, const struct stat& status)
{
	return checkOwner(path, status).and_then([&] { return checkWriters(path, status); });
}

/// Pushes the components of `path` in front of `rest`.
void pushComponents(std::deque<fs::path>& rest, const fs::path& path)
{
	const fs::path relative = path.relative_path();
	rest.insert(rest.begin(), relative.begin(), relative.end());
}

/// Follows `path` as the kernel does, one component after the other, and checks each of them: directories, symbolic
/// links, also those that links lead through, and its end, which must be of `type`.
Result<fs::path> follow(const fs::path& path, mode_t type, const char* wrongType)
{
	constexpr int mostLinks = 40;
	if (!path.is_absolute()) {
		return failure("the path is not absolute");
	}
	fs::path real = "/";
	std::deque<fs::path> rest;
	pushComponents(rest, path);
	rest.emplace_front("."); // the root itself
	for (int links = 0; !rest.empty();) {
		const fs::path name = rest.front();
		rest.pop_front();
		if (name.empty() || name == "..") {
			real = name.empty() ? real : real.parent_path();
			continue;
		}
		const fs::path entry = name == "." ? real : real / name;
		struct stat status
		{
		};
		if (::lstat(entry.c_str(), &status) != 0) {
			return failure(errno == ENOENT ? "there is no such file" : entry.string() + ": " + std::strerror(errno));
		}
		if (S_ISLNK(status.st_mode)) {
			std::error_code error;
			const fs::path target = fs::read_symlink(entry, error);
			if (Result<void> own = checkOwner(entry, status); !own) {
				return tl::unexpected(own.error());
			}
			if (error || ++links > mostLinks) {
				return failure(entry.string() + ": " + (error ? error.message() : std::string("too many links")));
			}
			real = target.is_absolute() ? fs::path("/") : real;
			pushComponents(rest, target);
			continue;
		}
		if (rest.empty() && (status.st_mode & S_IFMT) != type) {
			return failure(wrongType);
		}
		if (Result<void> ok = checkEntry(entry, status); !ok) {
			return tl::unexpected(ok.error());
		}
		real = entry;
	}
	return real;
}

} // namespace

Result<fs::path> checkPluginPath(const fs::path& path)
{
	return follow(path, S_IFREG, "it is not a regular file");
}

Result<fs::path> checkPluginFolder(const fs::path& path)
{
	return follow(path, S_IFDIR, "it is not a folder");
}

} // namespace issuer::loader
