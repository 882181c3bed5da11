#pragma once

#include "base/descriptor.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct inotify_event;

namespace issuer::vault::runtime {

/// Hints that a path may lead to another file, or its file to other content: by one inotify descriptor, opened with the
/// first path. It watches the directories that decide which file the path leads to, also through symbolic links and for
/// files that do not exist yet.
///
/// Only hints: a file system without change events, a limit of the kernel, or a directory renamed far above the file
/// keep it silent. A look now and then remains the owner's business. [thread-safe]
class FileHints final : private Job
{
	using Spot = std::uint32_t; ///< a name in a directory: a hash of both

	/// A directory entry that a path depends on.
	struct Point
	{
		int directory = 0; ///< inotify's number
		Spot spot = 0;

		friend auto operator<=>(const Point&, const Point&) = default;
	};
	/// All entries that a path depends on but its last, with the number of listeners. The files of one directory have
	/// them in common, so that a file costs one link and not one for each directory above it.
	using Approaches = std::map<std::vector<Point>, std::size_t>;
	using Approach = Approaches::value_type;

public:
	/// One path that is followed.
	class Listener
	{
	public:
		/// [worker-thread] Looks again. Brief; calls nothing of FileHints.
		virtual void hint() noexcept = 0;

	protected:
		Listener() = default;
		virtual ~Listener() = default; ///< forget() was called for it before

	private:
		friend class FileHints;
		Listener* _next = nullptr;     ///< the next listener of the same bucket
		Listener** _place = nullptr;   ///< the pointer to this listener: of the bucket, or of the listener before
		Approach* _approach = nullptr; ///< null: this listener follows no path
		Point _last;                   ///< the last point of the path that is followed
	};

	/// `scheduler` and `clock` must be there until close().
	FileHints(Scheduler& scheduler, const Clock& clock) : _scheduler(scheduler), _clock(clock) {}
	~FileHints() = default;

	/// Walks `path` and hints of its changes from now on, in place of those followed before: so look after it, not
	/// before. Blocks for as long as the file system does. Returns why a part of the path is not watched.
	[[nodiscard]] std::optional<std::string> follow(Listener& listener, const std::string& path);

	/// Stops hinting `listener`. On return no hint is under way and none will come, unless a follow() for it is still
	/// under way.
	void forget(Listener& listener) noexcept;

	/// Stops hinting all listeners; follow() does nothing any more.
	void close() noexcept;

	/// Returns the number of directories that are watched. For tests and measurements.
	[[nodiscard]] std::size_t watchedDirectories() const;

private:
	using Lock = std::unique_lock<std::mutex>;
	struct Route
	{
		std::vector<Point> points;
		std::optional<std::string> gap; ///< why a part of the route is not watched; none: all of it is
		bool torn = false;              ///< a directory of the route was removed while it was walked
	};

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* place() const noexcept override { return this; }

	[[nodiscard]] static Spot spotOf(int directory, std::string_view name) noexcept;
	[[nodiscard]] int open();
	[[nodiscard]] Route walk(const std::string& path) const;
	void link(Listener& listener, std::vector<Point> points);
	void unlink(Listener& listener) noexcept;
	[[nodiscard]] Approach& join(std::vector<Point> points);
	void leave(Approach& approach) noexcept;
	void leave(const Point& point) noexcept;
	void makeRoom(std::size_t listeners);
	[[nodiscard]] Listener*& bucketOf(Spot spot) noexcept { return _buckets[spot % _buckets.size()]; }
	static void push(Listener*& bucket, Listener& listener) noexcept;
	void hear() noexcept;
	void note(const inotify_event& event) noexcept;
	template <class Concerns>
	void hintIf(const Concerns& concerns) noexcept;

	Scheduler& _scheduler;
	const Clock& _clock;
	mutable std::mutex _mutex;
	Descriptor _inotify;
	std::vector<Listener*> _buckets; ///< a hash table of listeners, by the last spot of their paths
	std::size_t _linked = 0;         ///< number of listeners in it
	Approaches _approaches;
	std::unordered_map<int, std::size_t> _directories; ///< number of points in each
	std::uint64_t _dropped = 0;                        ///< number of directories that were watched and are no more
	bool _closed = false;
};

} // namespace issuer::vault::runtime
