#pragma once

#include "base/descriptor.h"
#include "runtime/helpers.h"
#include "transport/file_stamp.h"
#include "transport/reading.h"
#include "transport/wait.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/eventfd.h>
#include <utility>
#include <vector>

namespace issuer::vault::transport {

/// A value that was read from files, and is read again, by a helper, when they have changed. What was read before stays
/// in use while a file hangs, is missing or is damaged. Only who comes before the first value waits, without a thread.
///
/// A Source says how:
///     using Value = …;
///     std::string name() const;                           // "CA file /x.pem", for errors
///     std::string key() const;                            // of the helpers: what may hang together
///     std::vector<FileStamp> stamps(Reading&) const;      // may block
///     FileResult<std::shared_ptr<const Value>> read(Reading&) const;  // may block
///     void advise(const Value&, std::vector<std::string>&) const;
/// It is called from one helper at a time, possibly after the FileBacked has gone.
///
/// [thread-safe] Owned by std::shared_ptr.
template <class Source>
class FileBacked : public std::enable_shared_from_this<FileBacked<Source>>
{
public:
	using Contents = std::shared_ptr<const typename Source::Value>;
	using Clock = std::chrono::steady_clock;

	/// How long what was seen counts.
	static constexpr auto lookAgainAfter = std::chrono::seconds(1);
	/// A look that takes longer is told.
	static constexpr auto hangsAfter = std::chrono::seconds(1);

	struct Current
	{
		Contents contents;
		unsigned generation = 0; ///< counts from 1, up with each change
	};

	FileBacked(std::shared_ptr<runtime::Helpers> helpers, Source source)
		: _helpers(std::move(helpers)), _source(std::make_shared<const Source>(std::move(source)))
	{
	}

	/// Has the files looked at if that was not done within the last second. Returns the generation in use; 0: none yet.
	unsigned refresh()
	{
		const auto now = Clock::now();
		const std::lock_guard lock(_mutex);
		if (now - _lookedAt >= lookAgainAfter) {
			look(now);
		}
		return _current.generation;
	}

	/// What is in use; the first time, once it has been read. Fails with kind `configuration` if the files cannot be
	/// used (or, with `outOfDescriptors`, not opened now), `timeout` or `cancelled` if that is not known yet, `network`
	/// if this machine has no thread left.
	[[nodiscard]] Task<Expected<Current, ExchangeError>> current(Deadline deadline)
	{
		Descriptor done;
		unsigned looks = 0;
		{
			const auto now = Clock::now();
			const std::lock_guard lock(_mutex);
			if (!_current.contents || now - _lookedAt >= lookAgainAfter) {
				look(now);
			}
			if (_current.contents) {
				co_return _current;
			}
			if (!_looking) {
				co_return tl::unexpected(ExchangeError{ExchangeError::Kind::network, _complaint});
			}
			done = awaitable();
			looks = _looks;
		}
		Wake wake = Wake::ready;
		while (wake == Wake::ready && looks == looksSoFar()) {
			// Without a descriptor left to wait for, time and again.
			const auto until = done ? deadline : std::min(deadline, Clock::now() + std::chrono::milliseconds(10));
			wake = co_await ready(done.get(), POLLIN, until);
			if (wake == Wake::timedOut && until != deadline) {
				wake = Wake::ready;
			}
		}
		const std::lock_guard lock(_mutex);
		if (_current.contents) {
			co_return _current;
		}
		if (wake != Wake::ready) {
			const auto& what = _at.empty() ? _source->name() : _at;
			co_return tl::unexpected(endedBy(wake, what, "reading it for the first time"));
		}
		ExchangeError error{ExchangeError::Kind::configuration, _complaint};
		error.outOfDescriptors = _noDescriptor;
		co_return tl::unexpected(std::move(error));
	}

	/// Adds what an operator should know while it holds.
	void advise(std::vector<std::string>& lines) const
	{
		const std::lock_guard lock(_mutex);
		if (!_current.contents) {
			return;
		}
		constexpr auto before = "; going on with what was read before";
		if (_looking && Clock::now() - _lookedAt >= hangsAfter) {
			lines.push_back(_at.empty() ? _source->name() + " waits to be looked at: other files or names hang" + before
										: _at + " hangs: its file system does not answer" + before);
		}
		else if (!_complaint.empty()) {
			lines.push_back(_complaint + before);
		}
		_source->advise(*_current.contents, lines);
	}

private:
	using Self = FileBacked<Source>;
	using Stamps = std::vector<FileStamp>;

	class Look final : public Reading
	{
	public:
		Look(std::weak_ptr<Self> owner, OpensslGate& gate) : Reading(gate), _owner(std::move(owner)) {}

		void at(const std::string& what) override
		{
			if (const auto self = _owner.lock()) {
				const std::lock_guard lock(self->_mutex);
				self->_at = what;
			}
		}

	private:
		std::weak_ptr<Self> _owner;
	};

	/// Submits a look, unless one is under way. Under the lock.
	void look(Clock::time_point now)
	{
		if (_looking) {
			return;
		}
		auto known = _current.contents ? std::optional(_stamps) : std::nullopt;
		auto work = [owner = this->weak_from_this(), source = _source, gate = OpensslGate::ofLibrary(),
						known = std::move(known)] { lookNow(owner, *source, *gate, known); };
		_at.clear();
		_lookedAt = now;
		_looking = _helpers->submit(_source->key(), std::move(work));
		if (!_looking) {
			_complaint = _source->name() + " cannot be read: this machine has no thread left for it";
		}
	}

	/// On a helper.
	static void lookNow(
		const std::weak_ptr<Self>& owner, const Source& source, OpensslGate& gate, const std::optional<Stamps>& known)
	{
		std::optional<FileResult<Contents>> found;
		Stamps stamps;
		try {
			Look look(owner, gate);
			stamps = source.stamps(look); // before the reading: a change in between is seen next time
			if (!known || *known != stamps) {
				found = source.read(look);
			}
		}
		catch (const OpensslGate::Closed&) {
			return;
		}
		catch (const std::exception& error) {
			found.emplace(failure(source.name() + " cannot be read: " + error.what()));
		}
		if (const auto self = owner.lock()) {
			self->finish(std::move(stamps), std::move(found));
		}
	}

	/// `found`: nothing if the files have not changed.
	void finish(Stamps stamps, std::optional<FileResult<Contents>> found)
	{
		const std::lock_guard lock(_mutex);
		if (found) {
			_noDescriptor = !*found && found->error().outOfDescriptors;
			_stamps = _noDescriptor ? Stamps() : std::move(stamps);
			_complaint = *found ? std::string() : std::move(found->error().text);
			if (*found) {
				_current = {std::move(**found), _current.generation + 1};
			}
		}
		_looking = false;
		_at.clear();
		++_looks;
		if (_done) {
			::eventfd_write(_done.get(), 1); // those who wait have copies of their own
			_done = Descriptor();
		}
	}

	/// A descriptor that becomes readable with the end of the look under way. Under the lock.
	[[nodiscard]] Descriptor awaitable()
	{
		if (!_done) {
			_done = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
		}
		return Descriptor(::fcntl(_done.get(), F_DUPFD_CLOEXEC, 0));
	}

	[[nodiscard]] unsigned looksSoFar() const
	{
		const std::lock_guard lock(_mutex);
		return _looks;
	}

	const std::shared_ptr<runtime::Helpers> _helpers;
	const std::shared_ptr<const Source> _source;

	mutable std::mutex _mutex;     ///< guards all below
	Current _current;              ///< without contents: never read
	Stamps _stamps;                ///< of the files when they were read last, well or not; none: read them again
	std::string _complaint;        ///< why the files as they are now cannot be used; empty: they can
	bool _noDescriptor = false;    ///< and that is for want of a descriptor
	Clock::time_point _lookedAt{}; ///< when the latest look was submitted
	bool _looking = false;         ///< a look is queued or under way
	std::string _at;               ///< the file that it is at; empty: it has not begun
	unsigned _looks = 0;           ///< number of looks that have ended
	Descriptor _done;              ///< tells the end of the look under way; none: nobody waits for it
};

} // namespace issuer::vault::transport
