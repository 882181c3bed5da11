#pragma once

#include "credential/reader.h"
#include "credential/token_file.h"
#include "runtime/file_hints.h"
#include "runtime/indexed_heap.h"
#include "runtime/job.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace issuer::vault::credential {

/// The files of a Reader, and the time of each one's next look.
///
/// A round is a piece of work on a helper: it looks at one due file after the other until none is left. One round is
/// enough; when its look hangs, another goes on with the others. The job starts rounds when files are due, and counts
/// the looks that hang. No lock is held during a look.
class Reader::Table final : public std::enable_shared_from_this<Reader::Table>, private runtime::Job
{
public:
	Table(Helper helper, runtime::Scheduler& scheduler, const runtime::Clock& clock, Options options);

	/// The entry lives until remove(), and for as long as a look at it is under way.
	[[nodiscard]] Entry& add(const std::string& path, NewsListener& listener, TextKind kind);
	void remove(Entry& entry) noexcept;
	[[nodiscard]] std::optional<News> take(Entry& entry) noexcept;
	void setUrgent(Entry& entry, bool urgent) noexcept;
	void lookNow(Entry& entry) noexcept;
	void hinted(Entry& entry) noexcept;
	void close() noexcept;

	[[nodiscard]] bool help(std::function<void()> work) { return _helper(std::move(work)); }

private:
	friend class Reader::Entry;
	using Lock = std::unique_lock<std::mutex>;
	using Group = std::uint64_t; ///< id of the file system, as far as is known

	/// A look under way, on the stack of the helper.
	struct Look
	{
		Entry* entry = nullptr; ///< lives as long as the look
		Instant since;
		Group group;
		bool stuck = false;
	};

	/// The looks that hang in one file system.
	struct Hanging
	{
		unsigned looks = 0;
		Instant nextTry; ///< time at which one more look is risked
		Duration pause{};
	};

	static std::uint32_t& positionOf(Entry& entry) noexcept;
	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override;
	[[nodiscard]] const void* place() const noexcept override { return this; }

	void startRound() noexcept;
	void round() noexcept;
	[[nodiscard]] Entry* takeDue(Look& look) noexcept;
	void examine(Entry& entry, Look& look, Lock& lock) noexcept;
	void conclude(Entry& entry, FileLook found, std::optional<std::string> gap);
	void plan(Entry& entry) noexcept;
	[[nodiscard]] Instant inTrouble() const noexcept;
	void noteHanging() noexcept;
	void becomesStuck(Look& look, Instant now) noexcept;
	[[nodiscard]] Instant nextRun(Instant now) const noexcept;
	void isNoLongerStuck(const Look& look) noexcept;
	[[nodiscard]] bool mayLook(const Entry& entry, Instant now) noexcept;
	void letGo(Entry& entry, Lock& lock) noexcept;
	void tell(Entry& entry, std::string trouble, bool hanging) noexcept;
	void tellHanging(Entry& entry, Instant now) noexcept;
	[[nodiscard]] bool armAt(Instant at) noexcept;
	[[nodiscard]] Duration spread() noexcept;

	const Helper _helper;
	runtime::Scheduler& _scheduler;
	const runtime::Clock& _clock;
	const Options _options;
	runtime::FileHints _hints;

	std::mutex _mutex; ///< guards all below; taken after the hints' and before any owner's
	runtime::IndexedHeap<Entry, Instant, positionOf> _byTime;
	std::map<Group, Hanging> _hanging;
	Look* _moving = nullptr;            ///< the look under way that is not stuck; null: none is under way
	Instant _progress = Instant::min(); ///< when the latest look began
	Instant _armedAt = Instant::max();
	std::uint32_t _dice = 1;
	unsigned _rounds = 0;
	unsigned _stuck = 0; ///< number of rounds whose look hangs
	bool _closed = false;
};

/// A file, as one owner sees it. Guarded by the table. As small as can be: there is one for each token file.
class Reader::Entry final : public runtime::FileHints::Listener
{
public:
	Entry(Table& table, const std::string& path, NewsListener& listener, TextKind kind);
	void hint() noexcept override { _table.hinted(*this); }
	[[nodiscard]] Table& table() const noexcept { return _table; }

private:
	friend class Table;
	[[nodiscard]] std::string name() const { return std::string(nameOf(_kind)) + " file " + _path; }

	Table& _table;
	const std::string& _path; ///< the owner's string: valid until the file is closed
	NewsListener* _listener;  ///< null: closed
	FileContent _content;     ///< as last read; empty while the file is in trouble
	std::uint64_t _group;     ///< a Table::Group
	std::unique_ptr<News> _news;
	std::unique_ptr<std::string> _trouble; ///< as last told; null: none
	Instant _waiting = Instant::max();     ///< time since when it is due and its file system hangs
	Table::Look* _look = nullptr;          ///< the look under way whose result counts
	std::uint32_t _position = 0;
	std::uint8_t _holds = 1;   ///< 1 for the owner, and 1 for each look under way
	std::uint8_t _retries = 0; ///< number of looks beside one that hangs
	const TextKind _kind;
	bool _urgent : 1 = false;
	bool _walk : 1 = true;   ///< whether to follow the path before the next look
	bool _again : 1 = false; ///< whether to look again after the look under way
	bool _gapTold : 1 = false;
};

} // namespace issuer::vault::credential
