#include "loader/file_rules.h"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

Result<struct stat> statusOf(const fs::path& path)
{
	struct stat status
	{
	};
	if (::stat(path.c_str(), &status) != 0) {
		return failure(path.string() + ": " + std::strerror(errno));
	}
	return status;
}

Result<void> checkOwner(const fs::path& path, const struct stat& status)
{
	if (status.st_uid == 0 || status.st_uid == ::geteuid()) {
		return {};
	}
	return failure(path.string() + " belongs to user " + std::to_string(status.st_uid) +
				   ", who could replace the code; it must belong to root or to the user the host runs as");
}

Result<void> checkWriters(const fs::path& path, const struct stat& status)
{
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0)) {
		return {};
	}
	return failure(path.string() + " is writable by its group or by others, who could replace the code; chmod go-w it");
}

Result<void> checkEntry(const fs::path& path)
{
	return statusOf(path).and_then([&](const struct stat& status) {
		return checkOwner(path, status).and_then([&] { return checkWriters(path, status); });
	});
}

Result<void> checkDirectoriesAbove(const fs::path& path)
{
	for (fs::path entry = path; entry != entry.root_path();) {
		entry = entry.parent_path();
		if (Result<void> ok = checkEntry(entry); !ok) {
			return ok;
		}
	}
	return {};
}

} // namespace

Result<fs::path> checkPluginPath(const fs::path& path)
{
	if (!path.is_absolute()) {
		return failure("the path is not absolute");
	}
	std::error_code error;
	const fs::path real = fs::canonical(path, error);
	if (error) {
		return failure(error == std::errc::no_such_file_or_directory ? "there is no such file" : error.message());
	}
	Result<struct stat> status = statusOf(real);
	if (!status) {
		return tl::unexpected(status.error());
	}
	if (!S_ISREG(status->st_mode)) {
		return failure("it is not a regular file");
	}
	return checkEntry(real)
		.and_then([&] { return checkDirectoriesAbove(real); })
		.and_then([&] { return checkDirectoriesAbove(path.lexically_normal()); })
		.map([&] { return real; });
}

} // namespace issuer::loader
