#include "loader/staging.h"

#include "common/descriptor.h"
#include "common/text.h"
#include "loader/file_rules.h"
#include "loader/inspection.h"
#include "loader/sha256.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace issuer::loader {

namespace fs = std::filesystem;

namespace {

std::string reason()
{
	return std::strerror(errno);
}

constexpr std::string_view stagingPrefix = ".staging-";

Descriptor opened(const fs::path& path, int flags, mode_t mode = 0)
{
	return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, mode));
}

/// Locks the folder of all plugins: shared by each stage() while it runs, exclusively by the removal of files that a
/// killed stage() left. The kernel releases a lock when its process ends. Where the file system has no locks, nothing
/// is removed.
class LockedFolder
{
public:
	LockedFolder(const fs::path& folder, int operation)
		: _folder(opened(folder, O_RDONLY | O_DIRECTORY)),
		  _locked(_folder.valid() && ::flock(_folder.get(), operation) == 0)
	{
	}
	[[nodiscard]] bool locked() const { return _locked; }

private:
	Descriptor _folder;
	bool _locked;
};

/// A directory for the time of the staging, in the folder of the plugin's versions, because a rename works within one
/// file system only.
class StagingFolder
{
public:
	explicit StagingFolder(const fs::path& plugins) : _path((plugins / stagingPrefix).string() + "XXXXXX")
	{
		if (::mkdtemp(_path.data()) == nullptr) {
			_path.clear();
		}
	}
	~StagingFolder()
	{
		std::error_code ignored; // ignored: it was renamed, or the rest is hidden from the search for plugins
		fs::remove_all(_path, ignored);
	}
	StagingFolder(const StagingFolder&) = delete;
	StagingFolder& operator=(const StagingFolder&) = delete;

	[[nodiscard]] bool made() const { return !_path.empty(); }
	[[nodiscard]] fs::path path() const { return _path; }

private:
	std::string _path;
};

Result<void> copyDurably(const fs::path& from, const fs::path& to)
{
	const Descriptor source = opened(from, O_RDONLY);
	struct stat status
	{
	};
	if (!source.valid() || ::fstat(source.get(), &status) != 0) {
		return failure(errno == ENOENT ? "there is no such file" : reason());
	}
	if (!S_ISREG(status.st_mode)) {
		return failure("it is not a regular file");
	}
	const Descriptor target = opened(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (!target.valid()) {
		return failure(to.string() + ": " + reason());
	}
	for (ssize_t copied = 1; copied != 0;) {
		constexpr std::size_t block = 1 << 20;
		copied = ::sendfile(target.get(), source.get(), nullptr, block);
		if (copied < 0) {
			return failure("it cannot be copied to " + to.string() + ": " + reason());
		}
	}
	// Read-only, even for its owner: the file is mapped where it lies.
	if (::fchmod(target.get(), 0444) != 0 || ::fsync(target.get()) != 0) {
		return failure(to.string() + ": " + reason());
	}
	return {};
}

Result<void> syncFolder(const fs::path& folder)
{
	const Descriptor fd = opened(folder, O_RDONLY | O_DIRECTORY);
	if (!fd.valid() || ::fsync(fd.get()) != 0) {
		return failure(folder.string() + ": " + reason());
	}
	return {};
}

/// Returns a plugin's own text as the name of a file, if it cannot lead to another directory.
Result<std::string> asFileName(const std::string& text, const char* what)
{
	const bool fit = !text.empty() && text.front() != '.' &&
					 text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+~-") ==
						 std::string::npos;
	return fit ? Result<std::string>(text)
			   : failure(std::string("its ") + what + " \"" + sanitize(text) +
						 "\" cannot be a file's name: letters, digits and ._+~- can");
}

/// Makes a folder, and those above it that are missing, with mode 0755 under any umask, as the host mostly runs as
/// another user. Refuses a folder in which other users could replace files.
Result<fs::path> makeFolder(const fs::path& folder)
{
	std::error_code error;
	if (!fs::exists(fs::symlink_status(folder, error))) {
		const Result<fs::path> above = folder.has_relative_path() ? makeFolder(folder.parent_path()) : fs::path("/");
		if (!above) {
			return above;
		}
		constexpr mode_t mode = 0755;
		if (::mkdir(folder.c_str(), mode) == 0) {
			if (::chmod(folder.c_str(), mode) != 0) {
				return failure(folder.string() + ": " + reason());
			}
			if (Result<void> synced = syncFolder(folder.parent_path()); !synced) {
				return tl::unexpected(synced.error());
			}
		}
		else if (errno != EEXIST) {
			return failure(folder.string() + ": " + reason());
		}
	}
	return checkPluginFolder(folder);
}

/// Renames the staging folder to its final name. An existing one with the same content is kept.
Result<void> putInPlace(const fs::path& staged, const fs::path& folder, const fs::path& file, const std::string& sum)
{
	if (::chmod(staged.c_str(), 0755) != 0) {
		return failure(staged.string() + ": " + reason());
	}
	if (::rename(staged.c_str(), folder.c_str()) == 0) {
		return syncFolder(folder.parent_path());
	}
	if (errno != ENOTEMPTY && errno != EEXIST) {
		return failure(folder.string() + ": " + reason());
	}
	const Result<std::string> there = sha256Of(file);
	if (!there || *there != sum) {
		return failure(file.string() + " is there already and is damaged; remove its folder when no host uses it");
	}
	return {};
}

} // namespace

void forEachLeftover(const fs::path& plugins, const std::function<void(const fs::path&)>& visit)
{
	const LockedFolder alone(plugins, LOCK_EX | LOCK_NB);
	if (!alone.locked()) {
		return;
	}
	std::vector<fs::path> leftovers;
	std::error_code gone;
	for (const fs::directory_entry& entry : fs::directory_iterator(plugins, gone)) {
		if (entry.path().filename().string().starts_with(stagingPrefix) &&
			fs::is_directory(entry.symlink_status(gone))) {
			leftovers.push_back(entry.path());
		}
	}
	std::ranges::for_each(leftovers, visit);
}

Result<fs::path> stage(const fs::path& file, const fs::path& plugins)
{
	const auto refused = [&](const std::string& why) {
		return failure("plugin " + file.string() + " refused: " + why);
	};
	if (const Result<fs::path> source = checkPluginPath(fs::absolute(file)); !source) {
		return refused(source.error().text);
	}
	const fs::path root = fs::absolute(plugins).lexically_normal();
	if (const Result<fs::path> made = makeFolder(root); !made) {
		return refused(made.error().text);
	}
	forEachLeftover(root, [](const fs::path& folder) {
		std::error_code ignored; // ignored: staging can go on, and the next one tries again
		fs::remove_all(folder, ignored);
	});
	const LockedFolder atWork(root, LOCK_SH);
	const StagingFolder staging(root);
	if (!staging.made()) {
		return refused(root.string() + ": " + reason());
	}
	const fs::path copy = staging.path() / "plugin.so";
	if (Result<void> copied = copyDurably(file, copy); !copied) {
		return refused(copied.error().text);
	}
	const Result<Description> about =
		inspect({fs::absolute(copy), {}}, {}).map([](const Inspection& inspection) { return inspection.description; });
	if (!about) {
		// The reason is the file's; the copy's path would confuse the reader.
		const std::string text = about.error().text;
		const std::string copyRefused = "plugin " + copy.string() + " refused: ";
		return refused(text.starts_with(copyRefused) ? text.substr(copyRefused.size()) : text);
	}
	const Result<std::string> word = asFileName(about->id.substr(about->id.rfind('.') + 1), "id's last word");
	const Result<std::string> version = asFileName(about->version, "version");
	if (!word || !version) {
		return refused((word ? version : word).error().text);
	}
	const fs::path folder = root / *word / (*version + '-' + about->sha256.substr(0, 12));
	const fs::path place = folder / (*word + "_plugin.so");
	std::error_code error;
	fs::rename(copy, staging.path() / place.filename(), error);
	if (error) {
		return refused(copy.string() + ": " + error.message());
	}
	const Result<void> done = makeFolder(folder.parent_path())
								  .and_then([&](const fs::path&) { return syncFolder(staging.path()); })
								  .and_then([&] { return putInPlace(staging.path(), folder, place, about->sha256); });
	if (!done) {
		return refused(done.error().text);
	}
	return place;
}

} // namespace issuer::loader
