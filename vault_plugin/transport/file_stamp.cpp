#include "transport/file_stamp.h"

#include "base/descriptor.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <system_error>

namespace issuer::vault::transport {
namespace {

/// Most bytes that are read: far above any bundle of certificates; bounds the cost of a wrong path, such as a device.
constexpr std::size_t mostBytes = 32U << 20U;
constexpr std::size_t mostEntries = 10'000;

tl::unexpected<FileError> systemFailure(const std::string& what, const std::string& path, int error)
{
	FileError told(Error{what + " " + path + ": " + std::generic_category().message(error)});
	told.outOfDescriptors = error == EMFILE || error == ENFILE;
	return tl::unexpected(std::move(told));
}

bool isCertificateName(std::string_view name)
{
	constexpr std::size_t hashDigits = 8;
	if (name.starts_with('.')) {
		return false;
	}
	if (name.ends_with(".pem") || name.ends_with(".crt") || name.ends_with(".cer")) {
		return true;
	}
	const auto isHash = [](unsigned char c) { return std::isxdigit(c) != 0; };
	const auto isDigit = [](unsigned char c) { return std::isdigit(c) != 0; };
	if (name.size() < hashDigits + 2 || name[hashDigits] != '.' ||
		!std::all_of(name.begin(), name.begin() + hashDigits, isHash)) {
		return false;
	}
	name.remove_prefix(hashDigits + 1);
	name.remove_prefix(name.starts_with('r') ? 1 : 0);
	return !name.empty() && std::all_of(name.begin(), name.end(), isDigit);
}

} // namespace

FileStamp FileStamp::of(const std::string& path)
{
	struct stat status
	{
	};
	if (path.empty() || ::stat(path.c_str(), &status) != 0) {
		return {};
	}
	const auto nanoseconds = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
	return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
		nanoseconds(status.st_ctim)};
}

FileResult<WipedString> readFile(const std::string& what, const std::string& path)
{
	const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
	if (!file) {
		return systemFailure(what, path, errno);
	}
	struct stat status
	{
	};
	if (::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
		return failure(what + " " + path + " is a directory");
	}
	constexpr std::size_t atLeast = 4096;
	WipedString bytes;
	std::size_t used = 0;
	for (;;) { // reads to the end: FUSE and procfs report a size of 0
		if (used == bytes.size()) {
			const auto stated = std::min(static_cast<std::size_t>(status.st_size), mostBytes) + 1;
			bytes.resize(std::max({atLeast, used * 2, stated}));
		}
		const auto count = ::read(file.get(), bytes.data() + used, bytes.size() - used);
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			return systemFailure(what, path, errno);
		}
		if (count == 0) {
			bytes.resize(used);
			return bytes;
		}
		used += static_cast<std::size_t>(count);
		if (used > mostBytes) {
			return failure(what + " " + path + " is larger than 32 MiB");
		}
	}
}

FileResult<std::vector<std::string>> certificateFilesIn(const std::string& what, const std::string& path)
{
	struct Close
	{
		void operator()(DIR* directory) const noexcept { ::closedir(directory); }
	};
	const std::unique_ptr<DIR, Close> directory(::opendir(path.c_str()));
	if (!directory && errno == ENOTDIR) {
		return failure(what + " " + path + " is no directory");
	}
	if (!directory) {
		return systemFailure(what, path, errno);
	}
	std::vector<std::string> paths;
	while (const dirent* entry = ::readdir(directory.get())) {
		if (isCertificateName(entry->d_name) && paths.size() < mostEntries) {
			paths.push_back(path + "/" + entry->d_name);
		}
	}
	std::sort(paths.begin(), paths.end());
	return paths;
}

} // namespace issuer::vault::transport
