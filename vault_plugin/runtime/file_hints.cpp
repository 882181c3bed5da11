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
		link(listener, std::move(route.points));
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

void FileHints::link(Listener& listener, std::vector<Point> points)
{
	if (points.empty()) {
		unlink(listener);
		return;
	}
	const Point last = points.back();
	points.pop_back();
	makeRoom(_linked + 1);
	auto& approach = join(std::move(points));
	try {
		++_directories[last.directory];
	}
	catch (...) {
		leave(approach);
		throw;
	}
	unlink(listener); // only now, so that points of both paths stay watched
	listener._approach = &approach;
	listener._last = last;
	push(bucketOf(last.spot), listener);
	++_linked;
}

void FileHints::unlink(Listener& listener) noexcept
{
	auto* const approach = std::exchange(listener._approach, nullptr);
	if (approach == nullptr) {
		return;
	}
	*listener._place = listener._next;
	if (listener._next != nullptr) {
		listener._next->_place = listener._place;
	}
	--_linked;
	leave(listener._last);
	leave(*approach);
}

FileHints::Approach& FileHints::join(std::vector<Point> points)
{
	const auto [found, isNew] = _approaches.try_emplace(std::move(points), 0);
	auto& [counted, listeners] = *found;
	if (isNew) {
		auto next = counted.begin();
		try {
			for (; next != counted.end(); ++next) {
				++_directories[next->directory];
			}
		}
		catch (...) {
			std::for_each(counted.begin(), next, [this](const Point& point) { leave(point); });
			_approaches.erase(found);
			throw;
		}
	}
	++listeners;
	return *found;
}

void FileHints::leave(Approach& approach) noexcept
{
	if (--approach.second == 0) {
		for (const Point& point : approach.first) {
			leave(point);
		}
		_approaches.erase(_approaches.find(approach.first));
	}
}

void FileHints::leave(const Point& point) noexcept
{
	const auto directory = _directories.find(point.directory);
	if (--directory->second == 0) {
		_directories.erase(directory);
		++_dropped;
		::inotify_rm_watch(_inotify.get(), point.directory); // fails for a directory that is gone
	}
}

void FileHints::push(Listener*& bucket, Listener& listener) noexcept
{
	listener._next = bucket;
	listener._place = &bucket;
	if (bucket != nullptr) {
		bucket->_place = &listener._next;
	}
	bucket = &listener;
}

/// Grows the hash table until it has a bucket for each listener.
void FileHints::makeRoom(std::size_t listeners)
{
	if (listeners <= _buckets.size()) {
		return;
	}
	std::vector<Listener*> before(std::max<std::size_t>(16, listeners + listeners / 2));
	before.swap(_buckets);
	for (Listener* listener : before) {
		while (listener != nullptr) {
			Listener& moved = *std::exchange(listener, listener->_next);
			push(bucketOf(moved._last.spot), moved);
		}
	}
}

void FileHints::forget(Listener& listener) noexcept
{
	const Lock lock(_mutex);
	unlink(listener);
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
		hintIf([](const Point&) { return true; });
	}
	else if (!_directories.contains(event.wd)) {
		return; // given up since
	}
	else if (event.len == 0) { // the directory itself has changed, moved or gone
		hintIf([&](const Point& point) { return point.directory == event.wd; });
	}
	else {
		const Point changed{event.wd, spotOf(event.wd, event.name)};
		for (auto* listener = bucketOf(changed.spot); listener != nullptr; listener = listener->_next) {
			if (listener->_last == changed) {
				listener->hint();
			}
		}
		const auto leadsThere = [&](const Approach& approach) {
			return std::ranges::count(approach.first, changed) > 0;
		};
		if (std::ranges::any_of(_approaches, leadsThere)) { // seldom: a directory above files, or a link to them
			hintIf([&](const Point& point) { return point == changed; });
		}
	}
}

/// Hints the listeners that depend on a point for which `concerns` returns true.
template <class Concerns>
void FileHints::hintIf(const Concerns& concerns) noexcept
{
	for (auto* listener : _buckets) {
		for (; listener != nullptr; listener = listener->_next) {
			if (concerns(listener->_last) || std::ranges::any_of(listener->_approach->first, concerns)) {
				listener->hint();
			}
		}
	}
}

} // namespace issuer::vault::runtime
