#include "credential/sink.h"

#include "base/descriptor.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::vault::credential {
namespace {

tl::unexpected<Error> cannot(const SinkFile& sink, const std::string& what)
{
	return failure("sink file " + sink.file + " cannot be written: " + what);
}

tl::unexpected<Error> cannot(const SinkFile& sink, const char* step, int error)
{
	return cannot(sink, std::string(step) + ": " + std::generic_category().message(error));
}

std::optional<unsigned> numberIn(const std::string& text)
{
	unsigned number = 0;
	const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
	return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// Returns the id of the user or group of that name or number; -1: empty, leave it; nothing: there is none.
template <class Entry, class Lookup, class Id>
std::optional<unsigned> idOf(const std::string& name, Lookup lookUp, Id Entry::*id)
{
	if (name.empty()) {
		return static_cast<unsigned>(-1);
	}
	if (const auto number = numberIn(name)) {
		return number;
	}
	std::vector<char> buffer(16384);
	Entry entry{};
	Entry* found = nullptr;
	lookUp(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
	return found != nullptr ? std::optional<unsigned>(found->*id) : std::nullopt;
}

std::optional<unsigned> ownerOf(const SinkFile& sink)
{
	return idOf(sink.owner, ::getpwnam_r, &passwd::pw_uid);
}

std::optional<unsigned> groupOf(const SinkFile& sink)
{
	return idOf(sink.group, ::getgrnam_r, &::group::gr_gid);
}

std::string folderOf(const SinkFile& sink)
{
	return sink.file.substr(0, std::max<std::size_t>(sink.file.rfind('/'), 1));
}

Result<void> fill(const SinkFile& sink, int file, std::string_view token)
{
	const auto owner = ownerOf(sink);
	const auto group = groupOf(sink);
	if (!owner || !group) {
		return cannot(sink, "its owner or group is gone");
	}
	if (::write(file, token.data(), token.size()) != static_cast<ssize_t>(token.size())) {
		return cannot(sink, "write", errno);
	}
	if ((!sink.owner.empty() || !sink.group.empty()) && ::fchown(file, *owner, *group) != 0) {
		return cannot(sink, "give it to its owner", errno);
	}
	if (::fchmod(file, sink.mode) != 0 || ::fsync(file) != 0) { // last: no reader is let in before the content is safe
		return cannot(sink, "finish it", errno);
	}
	return {};
}

} // namespace

Result<void> checkSink(const SinkFile& sink)
{
	struct stat status = {};
	const auto folder = folderOf(sink);
	if (::stat(folder.c_str(), &status) != 0) {
		return cannot(sink, "its directory", errno);
	}
	if ((status.st_mode & S_IWOTH) != 0) {
		return cannot(sink, "all users of this machine may write into its directory; use another, or chmod o-w it");
	}
	if (::access(folder.c_str(), W_OK | X_OK) != 0) {
		return cannot(sink, "its directory", errno);
	}
	if (::lstat(sink.file.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
		return cannot(sink, "a directory is in its place");
	}
	if (!ownerOf(sink) || !groupOf(sink)) {
		return cannot(sink, !ownerOf(sink) ? "auth.sink.owner names no user of this machine"
										   : "auth.sink.group names no group of this machine");
	}
	return {};
}

Result<mode_t> modeOf(const SinkFile& sink)
{
	struct stat status = {};
	if (::stat(sink.file.c_str(), &status) != 0) {
		return failure("sink file " + sink.file + ": " + std::generic_category().message(errno));
	}
	return status.st_mode & 07777U;
}

Result<void> writeSink(const SinkFile& sink, std::string_view token)
{
	if (auto fits = checkSink(sink); !fits) {
		return fits;
	}
	const auto folder = folderOf(sink);
	auto temporary = sink.file + ".XXXXXX";
	const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC)); // mode 0600
	if (!file) {
		return cannot(sink, "create it", errno);
	}
	auto done = fill(sink, file.get(), token);
	if (done && ::rename(temporary.c_str(), sink.file.c_str()) != 0) {
		done = cannot(sink, "put it in place", errno);
	}
	if (!done) {
		::unlink(temporary.c_str());
		return done;
	}
	if (const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); directory) {
		static_cast<void>(::fsync(directory.get())); // after a crash it is written again anyway
	}
	return {};
}

} // namespace issuer::vault::credential
