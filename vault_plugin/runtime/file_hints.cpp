#include "runtime/file_hints.h"

#include "runtime/path_walk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <poll.h>
#include <sys/inotify.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace issuer::vault::runtime {
namespace {

/// Not IN_MODIFY: a writer's last act is to close the file. IN_ATTRIB: a file that could not be read may be readable
/// now.
constexpr std::uint32_t interesting = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
									  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/// Most walks along one path while directories on it keep changing; after that a part of it may be unwatched.
constexpr int mostWalks = 5;

std::string explain(const std::string& what, int error)
{
	std::string text = what + ": " + std::generic_category().message(error);
	if (error == ENOSPC) {
		text += " (fs.inotify.max_user_watches)";
	}
	else if (error == EMFILE) {
		text += " (fs.inotify.max_user_instances, or the limit of open files)";
	}
	return text;
}

} // namespace

std::optional<std::string> FileHints::follow(Listener& listener, const std::string& path)
{
	Lock lock(_mutex);
	if (_closed) {
		return std::nullopt;
	}
	if (const int error = open(); error != 0) {
		return explain("cannot watch " + path, error);
	}
	const auto dropped = _dropped;
	lock.unlock();
	auto route = walk(path);
	for (int walks = 1; route.torn && walks < mostWalks; ++walks) {
		route = walk(path);
	}
	lock.lock();
	if (!_closed) {
		link(listener, route);
		if (_dropped != dropped) {
			listener.hint(); // one of them may have been this route's: walk again
		}
	}
	return route.gap;
}

/// Opens the inotify descriptor. Returns zero, or the errno.
int FileHints::open()
{
	if (!_inotify) {
		Descriptor inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
		if (!inotify) {
			return errno;
		}
		_scheduler.arm(*this, _clock.boot(), Instant::max());
		_inotify = std::move(inotify);
	}
	return 0;
}

FileHints::Route FileHints::walk(const std::string& path) const
{
	Route route;
	walkPath(path, [&](const std::string& directory, const std::string& name) {
		const int number = ::inotify_add_watch(_inotify.get(), directory.c_str(), interesting);
		if (number >= 0) {
			route.points.push_back({number, spotOf(number, name)});
			return;
		}
		route.torn = route.torn || errno == ENOENT || errno == ENOTDIR;
		route.gap = explain("cannot watch directory " + directory, errno);
	});
	return route;
}

FileHints::Spot FileHints::spotOf(int directory, std::string_view name) noexcept
{
	constexpr std::uint64_t spread = 0x9e3779b97f4a7c15; // 2^64 divided by the golden ratio
	const auto hash = std::hash<std::string_view>()(name) ^ (static_cast<std::uint64_t>(directory) * spread);
	return static_cast<Spot>(hash ^ (hash >> 32U));
}

void FileHints::link(Listener& listener, const Route& route)
{
	Links links;
	try {
		links.links = std::make_unique<Link[]>(route.points.size()); // NOLINT(modernize-avoid-c-arrays)
		makeRoom(_linkCount + route.points.size());
		for (const auto& [directory, spot] : route.points) {
			++_directories[directory];
			auto& link = links.links[links.count++];
			link = {&listener, nullptr, nullptr, directory, spot};
			push(bucketOf(spot), link);
			++_linkCount;
		}
	}
	catch (...) {
		unlink(links);
		throw;
	}
	std::swap(links, listener._links);
	unlink(links); // only now: what both have in common stays watched
}

void FileHints::unlink(Links& links) noexcept
{
	const auto gone = std::exchange(links, {});
	for (std::uint32_t i = 0; i < gone.count; ++i) {
		const auto& link = gone.links[i];
		*link.place = link.next;
		if (link.next != nullptr) {
			link.next->place = link.place;
		}
		--_linkCount;
		const auto directory = _directories.find(link.directory);
		if (--directory->second == 0) {
			_directories.erase(directory);
			++_dropped;
			::inotify_rm_watch(_inotify.get(), link.directory); // fails for a directory that is gone
		}
	}
}

void FileHints::push(Link*& bucket, Link& link) noexcept
{
	link.next = bucket;
	link.place = &bucket;
	if (bucket != nullptr) {
		bucket->place = &link.next;
	}
	bucket = &link;
}

/// Grows the hash table until it has a bucket for each link.
void FileHints::makeRoom(std::size_t links)
{
	if (links <= _buckets.size()) {
		return;
	}
	std::vector<Link*> before(std::max<std::size_t>(16, links + links / 2));
	before.swap(_buckets);
	for (Link* link : before) {
		while (link != nullptr) {
			Link& moved = *std::exchange(link, link->next);
			push(bucketOf(moved.spot), moved);
		}
	}
}

void FileHints::forget(Listener& listener) noexcept
{
	const Lock lock(_mutex);
	unlink(listener._links);
}

void FileHints::close() noexcept
{
	{
		const Lock lock(_mutex);
		_closed = true;
	}
	while (!_scheduler.halt(*this, std::chrono::hours(1))) {
	}
}

std::size_t FileHints::watchedDirectories() const
{
	const Lock lock(_mutex);
	return _directories.size();
}

std::optional<Wait> FileHints::run(Wake wake) noexcept
{
	if (wake == Wake::cancelled) {
		return std::nullopt;
	}
	hear();
	return Wait{_inotify.get(), POLLIN};
}

void FileHints::hear() noexcept
{
	alignas(inotify_event) std::array<char, 16384> buffer;
	const Lock lock(_mutex);
	const ssize_t length = ::read(_inotify.get(), buffer.data(), buffer.size()); // never blocks
	for (ssize_t at = 0; at < length;) {
		const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
		note(*event);
		at += static_cast<ssize_t>(sizeof *event + event->len);
	}
}

void FileHints::note(const inotify_event& event) noexcept
{
	if ((event.mask & IN_Q_OVERFLOW) != 0) {
		hintAll(std::nullopt);
	}
	else if (!_directories.contains(event.wd)) {
		return; // given up since
	}
	else if (event.len == 0) { // the directory itself has changed, moved or gone
		hintAll(event.wd);
	}
	else if (!_buckets.empty()) {
		const auto spot = spotOf(event.wd, event.name);
		for (const Link* link = bucketOf(spot); link != nullptr; link = link->next) {
			if (link->spot == spot && link->directory == event.wd) {
				link->listener->hint();
			}
		}
	}
}

/// Hints the listeners that depend on `directory`; all of them if there is none.
void FileHints::hintAll(std::optional<int> directory) noexcept
{
	for (const Link* link : _buckets) {
		for (; link != nullptr; link = link->next) {
			if (!directory || *directory == link->directory) {
				link->listener->hint();
			}
		}
	}
}

} // namespace issuer::vault::runtime
