#include "hanging_files.h"

#include <condition_variable>
#include <cstdarg>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <string>
#include <string_view>

namespace issuer::test {
namespace {

std::mutex mutex;
std::condition_variable changed;
std::string hangingFolder;
int count = 0;

} // namespace

HangingFiles::HangingFiles(const std::filesystem::path& folder)
{
	const std::lock_guard lock(mutex);
	hangingFolder = folder.string() + "/";
}

HangingFiles::~HangingFiles()
{
	std::unique_lock lock(mutex);
	hangingFolder.clear();
	changed.notify_all();
	changed.wait(lock, [] { return count == 0; });
}

int HangingFiles::hanging()
{
	const std::lock_guard lock(mutex);
	return count;
}

void HangingFiles::await(int wanted)
{
	std::unique_lock lock(mutex);
	changed.wait(lock, [wanted] { return count >= wanted; });
}

} // namespace issuer::test

/// Stands before the C library's: a program's own function is found first.
extern "C" int open(const char* path, int flags, ...)
{
	using namespace issuer::test;
	static const auto real = reinterpret_cast<int (*)(const char*, int, ...)>(::dlsym(RTLD_NEXT, "open"));
	va_list more;
	va_start(more, flags);
	const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : mode_t{};
	va_end(more);
	{
		std::unique_lock lock(mutex);
		const auto hangs = [path] {
			return !hangingFolder.empty() && std::string_view(path).starts_with(hangingFolder);
		};
		if (hangs()) {
			++count;
			changed.notify_all();
			changed.wait(lock, [&] { return !hangs(); });
			--count;
			changed.notify_all();
		}
	}
	return real(path, flags, mode);
}
