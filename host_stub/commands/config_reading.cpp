#include "commands/config_reading.h"

#include "common/descriptor.h"
#include "registry/calls.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <set>
#include <unistd.h>

namespace issuer::commands {

namespace fs = std::filesystem;

namespace {

/// The reason why a file could not be read, and whether a later attempt may succeed.
tl::unexpected<Error> readingFailed(int error)
{
	static const std::set<int> passing{EIO, ETIMEDOUT, ESTALE, EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, EHOSTDOWN,
		EHOSTUNREACH, ENOTCONN, ENXIO, ENOLINK, EREMOTEIO};
	const std::string text = error == ENOENT   ? "there is no such file"
							 : error == EISDIR ? "it cannot be read: it is a directory"
											   : std::string("it cannot be read: ") + std::strerror(error);
	return passing.contains(error) ? passingFailure(text) : failure(text);
}

/// Reads a file. May block for as long as its file system does, or for as long as a pipe has a writer.
Result<std::string> contentOf(const fs::path& file)
{
	constexpr std::size_t longest = std::size_t{256} << 20;
	const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
	if (!descriptor.valid()) {
		return readingFailed(errno);
	}
	std::string text;
	std::array<char, 65536> block;
	for (;;) {
		const ssize_t count = ::read(descriptor.get(), block.data(), block.size());
		if (count < 0 && errno == EINTR) {
			continue;
		}
		if (count < 0) {
			return readingFailed(errno);
		}
		if (count == 0) {
			return text;
		}
		text.append(block.data(), static_cast<std::size_t>(count));
		if (text.size() > longest) {
			return failure("it is larger than 256 MiB");
		}
	}
}

/// Has `read` called where it can be left behind: file systems may hang, and writers of pipes never come. Ten seconds
/// are for one file, for a folder may have thousands.
template <class T>
Result<T> inTime(std::function<Result<T>()> read)
{
	constexpr std::chrono::seconds longest{10};
	static const std::shared_ptr<registry::Calls> calls = registry::Calls::make();
	const auto answer = std::make_shared<Result<T>>();
	const bool answered =
		calls->run([read = std::move(read), answer] { *answer = read(); }, registry::Calls::Clock::now() + longest);
	return answered ? std::move(*answer)
					: passingFailure("it cannot be read: neither its file system nor a writer has answered for 10 s");
}

/// Returns the files of a folder that are issuers, by name.
Result<std::vector<fs::path>> issuersIn(const fs::path& folder)
{
	std::error_code error;
	std::vector<fs::path> files;
	for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
		const fs::path& file = entry->path();
		if (file.extension() == ".json" && !file.filename().string().starts_with('.')) {
			files.push_back(file);
		}
	}
	std::ranges::sort(files);
	return error ? failure(folder.string() + " cannot be read: " + error.message())
				 : Result<std::vector<fs::path>>(std::move(files));
}

} // namespace

Result<std::string> contentInTime(const fs::path& file)
{
	return inTime<std::string>([file] { return contentOf(file); });
}

Result<std::vector<fs::path>> issuersInTime(const fs::path& folder)
{
	return inTime<std::vector<fs::path>>([folder] { return issuersIn(folder); });
}

} // namespace issuer::commands
