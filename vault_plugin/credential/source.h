#pragma once

#include "credential/reader.h"
#include "credential/secret.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace issuer::vault::credential {

/// Where the token comes from: exactly one of a file, an environment variable, or the configuration itself.
struct Origin
{
	enum class Kind
	{
		file,
		environment,
		value,
	};

	Kind kind = Kind::value;
	std::string name; ///< the file's path or the variable's name; empty for `value`
	Secret value;     ///< only of `value`
};

/// Names it for people: "token file /run/credentials/vault-token", "environment variable VAULT_TOKEN", ….
[[nodiscard]] std::string describe(const Origin& origin);

/// A shared hold on a token: it is wiped when the last one lets go.
using SharedSecret = std::shared_ptr<const Secret>;

/// The token in use, and the candidate that its origin has given since. Reads nothing itself while the instance runs:
/// a file is read by the Reader, an environment variable in open(), on the control thread, which alone may read the
/// environment.
///
/// current() is [thread-safe]. Everything else is for one thread at a time: the control thread before and after a run
/// of the instance, and the run.
class Source
{
public:
	explicit Source(Origin origin) : _origin(std::move(origin)) {}

	/// The first token from here on is the current one. `listener` is told of news until close().
	void open(Reader& reader, NewsListener& listener);
	void close() noexcept;

	/// What has come of the news since it was asked for last.
	struct Update
	{
		enum class Kind : std::uint8_t
		{
			none,
			first,     ///< current() is there, the first time since open()
			candidate, ///< candidate() is another one than before
			gone,      ///< there is no candidate any more: the origin went back to current()
			trouble,   ///< no token can be read now
		};

		Kind kind = Kind::none;
		std::string trouble;    ///< of `trouble`: why; quotes nothing of it
		bool hanging = false;   ///< of `trouble`: it is not known to be bad, it has not been read yet
		bool recovered = false; ///< the trouble told last is over
		std::string note;       ///< why a change may be noticed late; empty: nothing new
	};
	[[nodiscard]] Update update();

	/// Whether a token has been read since open().
	[[nodiscard]] bool isRead() const noexcept { return _read; }

	/// Why no token can be read; empty: one can, or nothing is known yet.
	[[nodiscard]] std::string_view trouble() const noexcept
	{
		return _trouble ? std::string_view(*_trouble) : std::string_view();
	}

	/// The token in use; null before the first was read. Stays after close().
	[[nodiscard]] SharedSecret current() const;
	[[nodiscard]] const SharedSecret& candidate() const noexcept { return _candidate; }

	/// The candidate takes the place of the token in use.
	void adopt() noexcept;

	/// Whether a token that works is wanted soon.
	void setUrgent(bool urgent) noexcept;
	void lookNow() noexcept;

	/// Reads the origin once, for a copy of its own, until `deadline` at most. Changes nothing here.
	[[nodiscard]] Result<Secret> readNow(Reader& reader, std::chrono::steady_clock::time_point deadline) const;

	[[nodiscard]] std::string describe() const { return credential::describe(_origin); }

private:
	[[nodiscard]] bool isTaken() const;
	void use(SharedSecret token) noexcept;
	[[nodiscard]] Update compare(Secret& token);

	Origin _origin;
	std::unique_ptr<Reader::File> _file; ///< while it is open, if it is one
	mutable std::atomic_flag _held = {}; ///< guards _current, for a copy or a move; a mutex would be forty times larger
	SharedSecret _current;
	SharedSecret _candidate;
	std::unique_ptr<News> _news;           ///< of an origin that is no file: what open() has found
	std::unique_ptr<std::string> _trouble; ///< as told last; seldom any
	bool _read = false;
	bool _urgent = false;
};

} // namespace issuer::vault::credential
