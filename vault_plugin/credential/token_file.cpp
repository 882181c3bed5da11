#include "credential/token_file.h"

#include "base/descriptor.h"
#include "base/result.h"
#include "base/wiped.h"
#include "credential/secret_pages.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

/// Most reads of a file that is written to while it is read.
constexpr int mostReads = 3;

/// In nanoseconds; longer than the coarsest time stamp of a file system: two seconds on FAT.
constexpr std::int64_t settlingTime = 3'000'000'000;

tl::unexpected<Error> cannotBeRead(int error)
{
	return failure("cannot be read: " + std::generic_category().message(error));
}

std::int64_t nanoseconds(const timespec& time)
{
	return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Identifies the content of a file without reading it.
struct FileStamp
{
	dev_t device = 0;
	ino_t inode = 0;
	off_t size = 0;
	std::int64_t modified = 0; ///< nanoseconds since 1970
	std::int64_t changed = 0;  ///< nanoseconds since 1970, of the inode

	friend bool operator==(const FileStamp&, const FileStamp&) = default;

	/// Never 0.
	[[nodiscard]] std::size_t hash() const
	{
		const std::uint64_t parts[] = {device, inode, static_cast<std::uint64_t>(size),
			static_cast<std::uint64_t>(modified), static_cast<std::uint64_t>(changed)};
		return std::hash<std::string_view>()({reinterpret_cast<const char*>(parts), sizeof parts}) | 1U;
	}
};

std::optional<FileStamp> stampOf(const Descriptor& file, mode_t* mode = nullptr)
{
	struct stat status = {};
	if (::fstat(file.get(), &status) != 0) {
		return std::nullopt;
	}
	if (mode != nullptr) {
		*mode = status.st_mode;
	}
	return FileStamp{
		status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

/// Reads to the end, whatever size the file claims to have.
Result<WipedString> readAll(const Descriptor& file)
{
	constexpr std::size_t piece = 4096;
	WipedString text;
	std::size_t size = 0;
	while (true) {
		text.resize(size + piece);
		const auto count = ::pread(file.get(), text.data() + size, piece, static_cast<off_t>(size));
		if (count < 0 && errno != EINTR) {
			return cannotBeRead(errno);
		}
		if (count == 0) {
			text.resize(size);
			return text;
		}
		size += count > 0 ? static_cast<std::size_t>(count) : 0;
		if (size > longestSecret) {
			return failure("is longer than 64 KiB");
		}
	}
}

bool hasSettled(const FileStamp& stamp)
{
	const auto now = std::chrono::system_clock::now().time_since_epoch();
	const auto written = std::max(stamp.modified, stamp.changed);
	return stamp.size > 0 && std::chrono::nanoseconds(now).count() - written > settlingTime;
}

Result<FileLook> look(const Descriptor& file, const FileContent& before, TextKind kind)
{
	mode_t mode = 0;
	auto stamp = stampOf(file, &mode);
	if (!stamp) {
		return cannotBeRead(errno);
	}
	FileLook found;
	found.device = stamp->device;
	if (stamp->hash() == before.stamp) {
		found.unchanged = true;
		found.content = before;
		return found;
	}
	if (!S_ISREG(mode)) {
		return failure("is not a regular file");
	}
	if ((mode & S_IWOTH) != 0) {
		return failure("may be written by all users of this machine: chmod o-w it");
	}
	for (int reads = 0; reads < mostReads; ++reads) {
		const auto text = readAll(file);
		if (!text) {
			return tl::unexpected(text.error());
		}
		const auto after = stampOf(file);
		if (!after) {
			return cannotBeRead(errno);
		}
		if (*after == std::exchange(*stamp, *after)) {
			return textIn(kind, *text).map([&](std::string_view token) {
				found.device = stamp->device;
				found.content = {hasSettled(*stamp) ? stamp->hash() : 0, std::hash<std::string_view>()(token)};
				found.token = Secret(token);
				return std::move(found);
			});
		}
	}
	return failure("changed while it was read; write it elsewhere and rename it into place");
}

} // namespace

FileLook lookAt(const std::string& path, const FileContent& before, TextKind kind)
{
	// Non-blocking: opening a FIFO without a writer would block for ever.
	const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
	auto found = file ? look(file, before, kind) : Result<FileLook>(cannotBeRead(errno));
	if (found) {
		found->unchanged = found->unchanged || (before.digest != 0 && found->content.digest == before.digest);
		return std::move(*found);
	}
	FileLook trouble;
	trouble.trouble = std::move(found.error().text);
	return trouble;
}

bool allUsersMayRead(const std::string& path)
{
	std::error_code error;
	const std::filesystem::path real = std::filesystem::canonical(path, error);
	struct stat status = {};
	bool may = !error && ::stat(real.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
	for (std::filesystem::path folder = real; may && folder.has_relative_path();) {
		folder = folder.parent_path();
		may = ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IXOTH) != 0;
	}
	return may;
}

} // namespace issuer::vault::credential
