#pragma once

#include "base/result.h"
#include "base/time.h"
#include "credential/secret.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace issuer::vault::credential {

/// Is told that there is news of a file.
class NewsListener
{
public:
	/// [any thread] Brief: it arms a job. Calls nothing of the reader.
	virtual void newsRead() noexcept = 0;

protected:
	~NewsListener() = default; ///< its file is closed before
};

/// What has been read of a file since it was asked for last. Where both are there, the trouble came after the token.
struct News
{
	Secret token;         ///< empty: none
	std::string trouble;  ///< why no token can be read now: names the file and quotes nothing of it; empty: none
	bool hanging = false; ///< the trouble is that a look takes long: it may still bring a token
	std::string note;     ///< why a change is not noticed at once; empty: it is, or has been told
};

/// Reads token files on threads that may hang, so that nobody waits for a file system: the owner of a file takes the
/// newest news under a lock that is held for a move.
///
/// A change is noticed within 2 s where the file system tells of it, and on every other within 30 s, or 2 s while the
/// file is in trouble or its owner is (setUrgent). A file whose look hangs is told as trouble after `tellAfter`, once;
/// the others are looked at meanwhile. Of one file system few looks hang: the files in it wait, but for a look now and
/// then, because it may have been mounted anew.
///
/// One for all issuers of the library. [thread-safe]
class Reader
{
public:
	/// Runs a piece of work that may block; false: it cannot. Throws std::bad_alloc.
	using Helper = std::function<bool(std::function<void()>)>;

	struct Options
	{
		Duration every = std::chrono::seconds(28); ///< between two looks at a file that is well, at most
		Duration inTrouble = std::chrono::milliseconds(1500);
		Duration burst = std::chrono::milliseconds(100); ///< from the first hint of a change to the look
		Duration stuckAfter =
			std::chrono::milliseconds(250); ///< the other files go on without a look that takes so long
		Duration tellAfter = std::chrono::seconds(2);
		Duration again = std::chrono::seconds(30); ///< until a look beside one that hangs; doubles
		unsigned mostStuck = 24;                   ///< looks that hang at the same time
		bool hints = true;                         ///< inotify
	};

	/// `scheduler` and `clock` must outlive the Reader.
	Reader(Helper helper, runtime::Scheduler& scheduler, const runtime::Clock& clock, Options options);
	/// Waits for no look that is under way. Every file is closed by now.
	~Reader();
	Reader(const Reader&) = delete;
	Reader& operator=(const Reader&) = delete;

	/// One file that is read for one owner, until this is destroyed: after that the listener hears nothing.
	class File
	{
	public:
		virtual ~File() = default;

		/// The newest news; nothing if there is none since the last call.
		[[nodiscard]] virtual std::optional<News> take() noexcept = 0;

		/// Whether the owner needs a token that works: it is looked for every 2 s.
		virtual void setUrgent(bool urgent) noexcept = 0;

		/// Looks now.
		virtual void lookNow() noexcept = 0;
	};

	/// Begins to read `path`, at once and then for as long as the File lives; `path` is borrowed for as long.
	[[nodiscard]] std::unique_ptr<File> open(const std::string& path, NewsListener& listener);

	/// Reads `path` once. Waits for it until `deadline`, at most.
	[[nodiscard]] Result<Secret> readOnce(const std::string& path, std::chrono::steady_clock::time_point deadline);

private:
	class Table;
	class Handle;
	std::shared_ptr<Table> _table; ///< shared with the looks under way, which may outlive the Reader
};

} // namespace issuer::vault::credential
