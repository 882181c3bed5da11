#include "runtime/inotify_watch.h"

#include "runtime/path_walk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <poll.h>
#include <sys/inotify.h>
#include <system_error>

namespace issuer::vault::runtime {

namespace {

/// Not IN_MODIFY: a writer's last word is its close. IN_ATTRIB: what could not be read may be readable now.
constexpr std::uint32_t interesting = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
									  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/// Walks until a tree that changes under the walker has been seen whole.
constexpr int maximumWalks = 5;

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

InotifyWatch::InotifyWatch(Scheduler& scheduler, const Clock& clock, Duration burst)
	: _scheduler(scheduler), _clock(clock), _burst(burst)
{
}

std::optional<std::string> InotifyWatch::add(FileListener& listener, const std::string& path)
{
	Lock lock(_mutex);
	if (const int error = open(); error != 0) {
		return explain("cannot watch " + path, error);
	}
	File& file = _files[&listener];
	try {
		file.path = path;
		return follow(listener, lock);
	}
	catch (...) {
		unlink(file);
		_files.erase(&listener);
		throw;
	}
}

/// Zero, or the error.
int InotifyWatch::open()
{
	if (_inotify) {
		return 0;
	}
	Descriptor inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
	if (!inotify) {
		return errno;
	}
	_scheduler.arm(_ear, _clock.boot(), Instant::min());
	_inotify = std::move(inotify);
	return 0;
}

void InotifyWatch::remove(FileListener& listener) noexcept
{
	Lock lock(_mutex);
	if (const auto found = _files.find(&listener); found != _files.end()) {
		unlink(found->second);
		_files.erase(found);
	}
	_toldEnded.wait(lock, [&] { return _told != &listener; });
}

std::size_t InotifyWatch::watchedDirectories() const
{
	const Lock lock(_mutex);
	return _directories.size();
}

/// Finds out what to wait for. Gives up the lock meanwhile; `listener` may be gone after.
std::optional<std::string> InotifyWatch::follow(FileListener& listener, Lock& lock)
{
	const std::string path = _files.at(&listener).path;
	const std::uint64_t unexpected = _unexpected;
	++_walks;
	lock.unlock();
	Route route;
	try {
		route = walk(path);
	}
	catch (...) {
		lock.lock();
		--_walks;
		throw;
	}
	lock.lock();
	--_walks;
	if (const auto file = _files.find(&listener); file != _files.end()) {
		link(file->second, route);
		if (_unexpected != unexpected) {
			soil(file->second); // it may have been a change of what had been walked but was not linked yet
		}
	}
	else {
		for (const Waypoint& point : route.points) {
			_directories.try_emplace(point.directory);
		}
		_unused = true;
	}
	dropAllUnused();
	return route.gap;
}

InotifyWatch::Route InotifyWatch::walk(const std::string& path) const
{
	Route route = walkOnce(path);
	for (int walks = 1; route.torn && walks < maximumWalks; ++walks) {
		route = walkOnce(path);
	}
	return route;
}

InotifyWatch::Route InotifyWatch::walkOnce(const std::string& path) const
{
	Route route;
	walkPath(path, [&](const std::string& directory, const std::string& name) {
		const int number = ::inotify_add_watch(_inotify.get(), directory.c_str(), interesting);
		if (number >= 0) {
			route.points.push_back({number, name});
			return;
		}
		route.torn = route.torn || errno == ENOENT || errno == ENOTDIR;
		route.gap = explain("cannot watch directory " + directory, errno);
	});
	return route;
}

void InotifyWatch::link(File& file, const Route& route)
{
	File before;
	before.links = std::exchange(file.links, {});
	try {
		file.links.reserve(route.points.size());
		for (const Waypoint& point : route.points) {
			Directory::value_type& entry = *_directories[point.directory].try_emplace(point.name).first;
			file.links.push_back({point.directory, &entry, entry.second.insert(entry.second.end(), &file)});
		}
	}
	catch (...) {
		unlink(before);
		throw;
	}
	unlink(before); // only now: what both have in common stays watched
}

void InotifyWatch::unlink(File& file) noexcept
{
	for (const Link& link : std::exchange(file.links, {})) {
		Waiting& waiting = link.entry->second;
		waiting.erase(link.place);
		if (waiting.empty()) {
			Directory& directory = _directories.at(link.directory);
			directory.erase(directory.find(link.entry->first));
			dropIfUnused(link.directory);
		}
	}
}

void InotifyWatch::dropIfUnused(int number) noexcept
{
	if (_walks > 0) {
		_unused = true;
	}
	else if (const auto found = _directories.find(number); found->second.empty()) {
		_directories.erase(found);
		::inotify_rm_watch(_inotify.get(), number); // fails for a directory that is gone, and its watch with it
	}
}

void InotifyWatch::dropAllUnused() noexcept
{
	if (_walks > 0 || !std::exchange(_unused, false)) {
		return;
	}
	for (auto directory = _directories.begin(); directory != _directories.end();) {
		const auto next = std::next(directory);
		dropIfUnused(directory->first);
		directory = next;
	}
}

std::optional<Wait> InotifyWatch::Ear::run(Wake wake) noexcept
{
	if (wake == Wake::cancelled) {
		return std::nullopt;
	}
	_watch.hear();
	return Wait{_watch._inotify.get(), POLLIN};
}

void InotifyWatch::hear() noexcept
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

void InotifyWatch::note(const inotify_event& event) noexcept
{
	if ((event.mask & IN_Q_OVERFLOW) != 0) {
		soilAll();
		return;
	}
	const auto directory = _directories.find(event.wd);
	if (directory == _directories.end()) {
		++_unexpected;
		return;
	}
	if (event.len == 0) { // the directory itself has changed, moved or gone
		for (auto& [name, waiting] : directory->second) {
			std::for_each(waiting.begin(), waiting.end(), [this](File* file) { soil(*file); });
		}
		return;
	}
	const auto entry = directory->second.find(std::string_view(event.name));
	if (entry == directory->second.end()) {
		++_unexpected;
		return;
	}
	std::for_each(entry->second.begin(), entry->second.end(), [this](File* file) { soil(*file); });
}

void InotifyWatch::soil(File& file) noexcept
{
	file.changed = true;
	if (!std::exchange(_armed, true)) {
		_scheduler.arm(*this, _clock.boot() + _burst, Instant::min());
	}
}

void InotifyWatch::soilAll() noexcept
{
	for (auto& [listener, file] : _files) {
		soil(file);
	}
}

/// The burst should be over: looks where the paths lead now, and tells.
std::optional<Wait> InotifyWatch::run(Wake) noexcept
{
	Lock lock(_mutex);
	_armed = false;
	try {
		tellChanged(lock);
	}
	catch (const std::bad_alloc&) {
		soilAll(); // in the hope of more memory a moment later
	}
	return std::nullopt;
}

void InotifyWatch::tellChanged(Lock& lock)
{
	for (FileListener* listener : changedFiles()) {
		if (_files.contains(listener)) { // not removed since
			static_cast<void>(follow(*listener, lock));
			tell(*listener, lock);
		}
	}
}

std::vector<FileListener*> InotifyWatch::changedFiles()
{
	std::vector<FileListener*> listeners;
	for (auto& [listener, file] : _files) {
		if (std::exchange(file.changed, false)) {
			listeners.push_back(listener);
		}
	}
	return listeners;
}

void InotifyWatch::tell(FileListener& listener, Lock& lock) noexcept
{
	if (!_files.contains(&listener)) {
		return;
	}
	_told = &listener;
	lock.unlock();
	listener.changed();
	lock.lock();
	_told = nullptr;
	_toldEnded.notify_all();
}

} // namespace issuer::vault::runtime
