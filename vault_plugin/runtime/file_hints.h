#pragma once

#include "base/descriptor.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"

#include <cstdint>
#include <memory>
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
	struct Link;

	/// The directory entries that one path depends on. As small as can be: there is one for each file.
	struct Links
	{
		std::unique_ptr<Link[]> links; // NOLINT(modernize-avoid-c-arrays): a vector keeps three pointers
		std::uint32_t count = 0;
	};

public:
	/// One path that is followed.
	class Listener
	{
	public:
		/// [worker-thread] Looks again. Brief; calls nothing of FileHints.
		virtual void hint() noexcept = 0;

	protected:
		Listener() = default;
		virtual ~Listener() = default; ///< forgotten before

	private:
		friend class FileHints;
		Links _links;
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
	using Spot = std::uint32_t; ///< a directory entry: a hash of inotify's number of the directory, and its name

	/// States that a listener depends on a directory entry.
	struct Link
	{
		Listener* listener = nullptr;
		Link* next = nullptr;   ///< in its bucket
		Link** place = nullptr; ///< points at this link: the bucket, or the link before
		int directory = 0;      ///< inotify's number
		Spot spot = 0;
	};
	struct Point
	{
		int directory;
		Spot spot;
	};
	struct Route
	{
		std::vector<Point> points;
		std::optional<std::string> gap; ///< why a part of it is not watched
		bool torn = false;              ///< a directory went while it was walked
	};

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* place() const noexcept override { return this; }

	[[nodiscard]] static Spot spotOf(int directory, std::string_view name) noexcept;
	[[nodiscard]] int open();
	[[nodiscard]] Route walk(const std::string& path) const;
	void link(Listener& listener, const Route& route);
	void unlink(Links& links) noexcept;
	void makeRoom(std::size_t links);
	[[nodiscard]] Link*& bucketOf(Spot spot) noexcept { return _buckets[spot % _buckets.size()]; }
	static void push(Link*& bucket, Link& link) noexcept;
	void hear() noexcept;
	void note(const inotify_event& event) noexcept;
	void hintAll(std::optional<int> directory) noexcept;

	Scheduler& _scheduler;
	const Clock& _clock;
	mutable std::mutex _mutex;
	Descriptor _inotify;
	std::vector<Link*> _buckets; ///< a hash table of links, by spot
	std::size_t _linkCount = 0;
	std::unordered_map<int, std::size_t> _directories; ///< number of links to each
	std::uint64_t _dropped = 0;                        ///< number of directories that were watched and are no more
	bool _closed = false;
};

} // namespace issuer::vault::runtime
