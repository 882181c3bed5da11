#include "observe/journal/rotated_file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace issuer::observe {

namespace fs = std::filesystem;

namespace {

tl::unexpected<Error> systemFailure(const fs::path& path, const char* what)
{
	return failure("journal " + path.string() + ": " + what + ": " + std::strerror(errno));
}

/// Returns the position behind the last whole line.
std::uint64_t endOfLines(int fd, std::uint64_t size)
{
	std::array<char, 4096> block;
	while (size > 0) {
		const std::size_t length = std::min<std::uint64_t>(size, block.size());
		const ssize_t count = ::pread(fd, block.data(), length, static_cast<off_t>(size - length));
		if (count != static_cast<ssize_t>(length)) {
			return size; // unreadable: nothing is cut off
		}
		const std::size_t newline = std::string_view(block.data(), length).rfind('\n');
		if (newline != std::string_view::npos) {
			return size - length + newline + 1;
		}
		size -= length;
	}
	return 0;
}

/// Syncs the folder: only then is a new name on the disk.
void syncFolderOf(const fs::path& path)
{
	const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
	const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		::fsync(fd);
		::close(fd);
	}
}

fs::path numbered(const fs::path& path, unsigned number)
{
	return path.string() + '.' + std::to_string(number);
}

} // namespace

Result<RotatedFile> RotatedFile::open(Settings settings)
{
	constexpr mode_t ownerAndGroup = 0640;
	const fs::path& path = settings.path;
	const int fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, ownerAndGroup);
	if (fd < 0) {
		return systemFailure(path, "it cannot be opened");
	}
	RotatedFile file(std::move(settings), fd, 0); // closes the descriptor on every path
	struct stat about
	{
	};
	if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		return failure("journal " + file._settings.path.string() + ": it is not a regular file");
	}
	if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
		return failure("journal " + file._settings.path.string() + ": another host is writing it");
	}
	const auto size = static_cast<std::uint64_t>(about.st_size);
	file._size = endOfLines(fd, size);
	if (file._size < size && ::ftruncate(fd, static_cast<off_t>(file._size)) != 0) {
		return file.failed("its unfinished line cannot be cut off");
	}
	syncFolderOf(file._settings.path);
	return file;
}

RotatedFile::RotatedFile(Settings settings, int fd, std::uint64_t size)
	: _settings(std::move(settings)), _fd(fd), _size(size)
{
}

RotatedFile::RotatedFile(RotatedFile&& other) noexcept
	: _settings(std::move(other._settings)), _fd(std::exchange(other._fd, -1)), _size(other._size), _dirty(other._dirty)
{
}

RotatedFile::~RotatedFile()
{
	if (_fd >= 0) {
		::close(_fd);
	}
}

Result<void> RotatedFile::append(std::string_view lines)
{
	if (Result<void> there = follow(); !there) {
		return there;
	}
	if (_size > 0 && _size + lines.size() > _settings.maxBytes) {
		if (Result<void> rotated = rotate(); !rotated) {
			return rotated;
		}
	}
	if (Result<void> clean = undo(); !clean) {
		return clean;
	}
	_dirty = true;
	for (std::string_view rest = lines; !rest.empty();) {
		const ssize_t count = ::write(_fd, rest.data(), rest.size());
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count <= 0) {
			const auto error = failed("it cannot be written");
			static_cast<void>(undo());
			return error;
		}
		rest.remove_prefix(static_cast<std::size_t>(count));
	}
	if (::fdatasync(_fd) != 0) {
		const auto error = failed("it does not reach the disk");
		static_cast<void>(undo());
		return error;
	}
	_size += lines.size();
	_dirty = false;
	return {};
}

/// Handles another program's rotation: if it has moved the file, a new one is begun; if it has truncated the file,
/// writing continues at its new end.
Result<void> RotatedFile::follow()
{
	struct stat ours
	{
	};
	struct stat named
	{
	};
	if (::fstat(_fd, &ours) != 0) {
		return failed("it cannot be looked at");
	}
	const bool isThere = ::stat(_settings.path.c_str(), &named) == 0;
	if (!isThere || named.st_ino != ours.st_ino || named.st_dev != ours.st_dev) {
		Result<RotatedFile> next = open(_settings);
		if (!next) {
			return tl::unexpected(next.error());
		}
		std::swap(_fd, next->_fd);
		_size = next->_size;
		_dirty = false;
	}
	else if (static_cast<std::uint64_t>(ours.st_size) < _size) {
		_size = static_cast<std::uint64_t>(ours.st_size);
	}
	return {};
}

/// Removes the rest that a failed append left behind the whole lines.
Result<void> RotatedFile::undo()
{
	if (_dirty && ::ftruncate(_fd, static_cast<off_t>(_size)) != 0) {
		return failed("a partly written line cannot be cut off");
	}
	_dirty = false;
	return {};
}

/// The next file is made before any name changes: on a full disk the old ones must not be renamed again and again until
/// they are gone.
Result<void> RotatedFile::rotate()
{
	const fs::path& path = _settings.path;
	const fs::path fresh = path.string() + ".next";
	Result<RotatedFile> next = open({fresh, _settings.maxBytes, _settings.keep});
	if (!next) {
		return tl::unexpected(next.error());
	}
	const auto stuck = [&](const std::error_code& error) {
		return failure("journal " + path.string() + ": it cannot be rotated: " + error.message());
	};
	std::error_code error;
	for (unsigned number = _settings.keep; number > 0; --number) {
		fs::rename(number == 1 ? path : numbered(path, number - 1), numbered(path, number), error);
		if (error && error != std::errc::no_such_file_or_directory) { // a missing file needs no new name
			return stuck(error);
		}
	}
	fs::rename(fresh, path, error);
	if (error) {
		return stuck(error);
	}
	syncFolderOf(path);
	std::swap(_fd, next->_fd);
	_size = next->_size;
	_dirty = false;
	return {};
}

tl::unexpected<Error> RotatedFile::failed(const char* what) const
{
	return systemFailure(_settings.path, what);
}

} // namespace issuer::observe
