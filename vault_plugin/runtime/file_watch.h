#pragma once

#include <memory>
#include <optional>
#include <string>

namespace issuer::vault::runtime {

/// Is told that a file may have changed.
class FileListener
{
public:
	/// [worker-thread] The file was written, replaced, removed or has appeared; or so it seems. Brief: it arms a job.
	/// Takes no lock that is held around add() or remove(), and calls neither.
	virtual void changed() noexcept = 0;

protected:
	~FileListener() = default; ///< its owner has removed it before
};

/// Notices changes of files, also of those reached through symbolic links that are swapped, and of files that do not
/// exist yet. Bursts are told once. [thread-safe]
class FileWatch
{
public:
	virtual ~FileWatch() = default;

	/// Tells `listener`, one file each, of changes of `path` from now on: read the file after, not before. Where the
	/// machine cannot watch (limits, permissions), it says why not; the listener then may never be told.
	[[nodiscard]] virtual std::optional<std::string> add(FileListener& listener, const std::string& path) = 0;

	/// On return `listener` is not being told and will not be. Fine for one never added.
	virtual void remove(FileListener& listener) noexcept = 0;
};

} // namespace issuer::vault::runtime
