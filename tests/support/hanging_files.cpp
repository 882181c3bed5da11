#include "hanging_files.h"

#include <algorithm>
#include <condition_variable>
#include <cstdarg>
#include <dlfcn.h>
#include <fcntl.h>
#include <list>
#include <mutex>
#include <string_view>

namespace issuer::test {
namespace {

std::mutex mutex;
std::condition_variable changed;
std::list<HangingFiles*> all;

} // namespace

HangingFiles::HangingFiles(const std::filesystem::path& folder) : _folder(folder.string() + "/")
{
	const std::lock_guard lock(mutex);
	all.push_back(this);
}

HangingFiles::~HangingFiles()
{
	std::unique_lock lock(mutex);
	_over = true;
	changed.notify_all();
	changed.wait(lock, [this] { return _hanging == 0; });
	all.remove(this);
}

int HangingFiles::hanging() const
{
	const std::lock_guard lock(mutex);
	return _hanging;
}

void HangingFiles::await(int count) const
{
	std::unique_lock lock(mutex);
	changed.wait(lock, [this, count] { return _hanging >= count; });
}

void HangingFiles::pass(const char* path)
{
	std::unique_lock lock(mutex);
	const auto found = std::ranges::find_if(all,
		[path](const HangingFiles* one) { return !one->_over && std::string_view(path).starts_with(one->_folder); });
	if (found == all.end()) {
		return;
	}
	auto& one = **found;
	++one._hanging;
	changed.notify_all();
	changed.wait(lock, [&one] { return one._over; });
	--one._hanging;
	changed.notify_all();
}

} // namespace issuer::test

/// Stands before the C library's: a program's own function is found first.
extern "C" int open(const char* path, int flags, ...)
{
	static const auto real = reinterpret_cast<int (*)(const char*, int, ...)>(::dlsym(RTLD_NEXT, "open"));
	va_list more;
	va_start(more, flags);
	const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : mode_t{};
	va_end(more);
	issuer::test::HangingFiles::pass(path);
	return real(path, flags, mode);
}
