#pragma once

#include "base/small_mutex.h"
#include "credential/origin.h"
#include "credential/reader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace issuer::vault::credential {

/// The token in use, and the candidate that its origin has given since. Blocks in nothing while the instance runs: a
/// file is read by the Reader, an environment variable in open(), on the control thread, which alone may read the
/// environment. The token of a login is offered.
///
/// current() is [thread-safe]. Everything else is for one thread at a time: the control thread before and after a run
/// of the instance, and the run.
class Source
{
public:
	explicit Source(Origin origin) : _origin(std::move(origin)) {}

	/// Begins to read the origin. The first token read from now on becomes the current one. `listener` is told of news
	/// until close().
	void open(Reader& reader, NewsListener& listener);
	void close() noexcept;

	/// Takes a token that is in use already, or was when it was written down: news for the next update().
	void offer(Secret token);

	/// Takes a token that a login has brought as the candidate, whether or not there is one in use.
	void setCandidate(Secret token) noexcept { _candidate = std::move(token); }
	/// Drops the candidate, which the server does not accept.
	void dropCandidate() noexcept { _candidate = {}; }

	/// Drops the token in use, as if none had been read since open().
	void drop() noexcept;

	/// The change that news has brought since the last call.
	struct Update
	{
		enum class Kind : std::uint8_t
		{
			none,
			first,     ///< current() exists, for the first time since open()
			candidate, ///< candidate() has changed
			gone,      ///< the candidate is gone: the origin has current() again
			trouble,   ///< no token can be read now
		};

		Kind kind = Kind::none;
		std::string trouble;    ///< for `trouble`: the reason; quotes nothing of the origin
		bool hanging = false;   ///< for `trouble`: a look takes long; the origin is not known to be bad
		bool recovered = false; ///< the trouble told last has ended
		std::string note;       ///< why a change may be noticed late; empty: no news of that
	};
	[[nodiscard]] Update update();

	/// Returns whether a token has been read since open().
	[[nodiscard]] bool isRead() const noexcept { return _read; }

	/// Returns why no token can be read; empty: one can, or nothing is known yet.
	[[nodiscard]] std::string_view trouble() const noexcept
	{
		return _trouble ? std::string_view(*_trouble) : std::string_view();
	}

	/// Returns the token in use; empty before the first was read. It stays after close().
	[[nodiscard]] Secret current() const;
	[[nodiscard]] const Secret& candidate() const noexcept { return _candidate; }

	/// Makes the candidate the token in use. Returns the one before.
	Secret adopt() noexcept;

	/// Sets whether a working token is needed soon: see Reader::File::setUrgent().
	void setUrgent(bool urgent) noexcept;
	void lookNow() noexcept;

	/// Reads the origin once and returns a copy. Blocks until `deadline` at most. Changes nothing here.
	[[nodiscard]] Result<Secret> readNow(Reader& reader, std::chrono::steady_clock::time_point deadline) const;

	[[nodiscard]] std::string describe() const { return credential::describe(_origin); }
	/// Returns the path of the token file; empty: the origin is none.
	[[nodiscard]] std::string file() const { return _origin.kind == Origin::Kind::file ? _origin.name : std::string(); }

private:
	[[nodiscard]] bool isTaken() const;
	Secret use(Secret token) noexcept;
	[[nodiscard]] Update compare(Secret& token);

	Origin _origin;
	Reader::File _file; ///< empty unless the origin is a file and open
	Secret _current;
	Secret _candidate;
	std::unique_ptr<News> _news;           ///< of an origin that is no file: result of open(), or offered
	std::unique_ptr<std::string> _trouble; ///< as last told; null: none
	mutable SmallMutex _mutex;             ///< guards _current, for a copy or a move
	bool _read = false;
	bool _urgent = false;
};

} // namespace issuer::vault::credential
