#pragma once

#include "base/descriptor.h"
#include "runtime/clock.h"
#include "runtime/file_watch.h"
#include "runtime/scheduler.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

struct inotify_event;

namespace issuer::vault::runtime {

/// FileWatch on one inotify descriptor, opened with the first file. It watches directories, not files: one watch for
/// all files of a directory, and a file that is replaced or not there yet is seen like any other.
///
/// One job hears what has changed and notes it. A moment later another walks the paths anew and tells the listeners:
/// for as long as a file system may make it hang. No lock is held meanwhile, so that remove() never waits for one.
class InotifyWatch final : public FileWatch, private Job
{
public:
	/// `burst`: how long after the first change of a burst it is told. When this is destroyed, `scheduler` is closed
	/// but still there.
	InotifyWatch(Scheduler& scheduler, const Clock& clock, Duration burst);
	~InotifyWatch() override = default;

	[[nodiscard]] std::optional<std::string> add(FileListener& listener, const std::string& path) override;
	void remove(FileListener& listener) noexcept override;

	/// For tests and measurements.
	[[nodiscard]] std::size_t watchedDirectories() const;

private:
	using Lock = std::unique_lock<std::mutex>;
	struct File;
	using Waiting = std::list<File*>; ///< for changes of one directory entry
	struct NameHash : std::hash<std::string_view>
	{
		using is_transparent = void; ///< a name is looked up without a copy of it
	};
	using Directory = std::unordered_map<std::string, Waiting, NameHash, std::equal_to<>>;

	/// A file's place among those that wait for a directory entry.
	struct Link
	{
		int directory;
		Directory::value_type* entry;
		Waiting::iterator place;
	};
	struct File
	{
		std::string path;
		std::vector<Link> links;
		bool changed = false;
	};

	/// Directory entries that decide what a path leads to, as a walk found them; `directory` is inotify's number.
	struct Waypoint
	{
		int directory;
		std::string name;
	};
	struct Route
	{
		std::vector<Waypoint> points;
		std::optional<std::string> gap; ///< why a part of it is not watched
		bool torn = false;              ///< a directory went while it was walked
	};

	/// Waits for events, from the first file on.
	class Ear final : public Job
	{
	public:
		explicit Ear(InotifyWatch& watch) : _watch(watch) {}
		[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
		[[nodiscard]] const void* lane() const noexcept override { return this; }

	private:
		InotifyWatch& _watch;
	};

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* lane() const noexcept override { return this; }

	[[nodiscard]] int open();
	[[nodiscard]] Route walk(const std::string& path) const;
	[[nodiscard]] Route walkOnce(const std::string& path) const;
	[[nodiscard]] std::optional<std::string> follow(FileListener& listener, Lock& lock);
	void link(File& file, const Route& route);
	void unlink(File& file) noexcept;
	void dropIfUnused(int number) noexcept;
	void dropAllUnused() noexcept;

	void hear() noexcept;
	void note(const inotify_event& event) noexcept;
	void soil(File& file) noexcept;
	void soilAll() noexcept;
	[[nodiscard]] std::vector<FileListener*> changedFiles();
	void tellChanged(Lock& lock);
	void tell(FileListener& listener, Lock& lock) noexcept;

	Scheduler& _scheduler;
	const Clock& _clock;
	const Duration _burst;

	Ear _ear{*this};
	mutable std::mutex _mutex;
	Descriptor _inotify;
	std::unordered_map<FileListener*, File> _files;
	std::unordered_map<int, Directory> _directories; ///< by inotify's number
	std::size_t _walks = 0;                          ///< under way; what they find may look unused meanwhile
	bool _unused = false;                            ///< a directory may have become so during a walk
	std::uint64_t _unexpected = 0;                   ///< events nobody waited for, as far as is known
	bool _armed = false;
	FileListener* _told = nullptr; ///< who is in changed() just now
	std::condition_variable _toldEnded;
};

} // namespace issuer::vault::runtime
