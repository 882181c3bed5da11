#pragma once

#include "base/result.h"
#include "base/time.h"
#include "credential/secret.h"
#include "credential/text_kind.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace issuer::vault::credential {

/// Is told that a file has news.
class NewsListener
{
public:
	/// [any thread] Brief: arms a job. Calls nothing of the reader.
	virtual void newsRead() noexcept = 0;

protected:
	~NewsListener() = default; ///< not virtual: its file is closed before
};

/// The result of the looks at a file since the last call of take(). If both a token and a trouble are there, the
/// trouble came later.
struct News
{
	Secret token;         ///< the text of the file; empty: none
	std::string trouble;  ///< why no token can be read now: names the file and quotes nothing of it; empty: one can
	bool hanging = false; ///< the trouble is that a look takes long: it may still bring a token
	std::string note;     ///< why a change may be noticed late; empty: it is noticed at once, or this has been told
};

/// Reads files with tokens and other secrets on threads that may hang, so that no run waits for a file system: the
/// owner of a file takes the newest news under a lock that is held only for a move.
///
/// A change is noticed within 2 s where the file system tells of it, and on every other within 30 s, or 2 s while the
/// file is in trouble or its owner is (setUrgent). A file whose look hangs is told as trouble after `tellAfter`, once;
/// the others are looked at meanwhile. In one file system few looks may hang at a time: its other files wait, but for a
/// look now and then, because it may have been mounted anew.
///
/// One object for all issuers of the library. [thread-safe]
class Reader
{
public:
	/// Runs a piece of work that may block; returns false if it cannot. Throws std::bad_alloc.
	using Helper = std::function<bool(std::function<void()>)>;

	struct Options
	{
		Duration every = std::chrono::seconds(28); ///< longest time between two looks at a file without trouble
		Duration inTrouble = std::chrono::milliseconds(1500);
		Duration burst = std::chrono::milliseconds(100); ///< from the first hint of a change to the look
		Duration stuckAfter =
			std::chrono::milliseconds(250); ///< a look that takes longer is left behind, and the other files go on
		Duration tellAfter = std::chrono::seconds(2);
		Duration again = std::chrono::seconds(30); ///< until a second look beside one that hangs; doubles
		unsigned mostStuck = 24;                   ///< most looks that hang at the same time
		bool hints = true;                         ///< whether inotify is used
	};

	/// `scheduler` and `clock` must outlive the Reader.
	Reader(Helper helper, runtime::Scheduler& scheduler, const runtime::Clock& clock, Options options);
	/// Does not wait for looks under way. Every file must be closed by now.
	~Reader();
	Reader(const Reader&) = delete;
	Reader& operator=(const Reader&) = delete;

	class File;

	/// Begins to read `path`, at once and then for as long as the File lives; `path` is borrowed for as long.
	[[nodiscard]] File open(const std::string& path, NewsListener& listener, TextKind kind = TextKind::token);

	/// Reads `path` once. Blocks until `deadline` at most.
	[[nodiscard]] Result<Secret> readOnce(
		const std::string& path, std::chrono::steady_clock::time_point deadline, TextKind kind = TextKind::token);

	/// Runs another piece of work with files, which may hang, on one of those threads. Returns false if none can be
	/// had. Throws std::bad_alloc.
	[[nodiscard]] bool elsewhere(std::function<void()> work);

private:
	class Table;
	class Entry;
	std::shared_ptr<Table> _table; ///< shared with looks under way, which may outlive the Reader
};

/// A file that is read for one owner until this is destroyed; after that the listener is not called. May be empty.
class Reader::File
{
public:
	File() noexcept = default;
	File(File&& other) noexcept : _entry(std::exchange(other._entry, nullptr)) {}
	File& operator=(File&& other) noexcept
	{
		File(std::move(other)).swap(*this);
		return *this;
	}
	~File();

	[[nodiscard]] explicit operator bool() const noexcept { return _entry != nullptr; }

	/// Returns the newest news; nothing if there is none since the last call.
	[[nodiscard]] std::optional<News> take() noexcept;

	/// Sets whether the owner needs a working token soon: then the file is looked at every 2 s.
	void setUrgent(bool urgent) noexcept;

	/// Looks at the file now.
	void lookNow() noexcept;

private:
	friend class Reader;
	explicit File(Entry& entry) noexcept : _entry(&entry) {}
	void swap(File& other) noexcept { std::swap(_entry, other._entry); }

	Entry* _entry = nullptr;
};

} // namespace issuer::vault::credential
