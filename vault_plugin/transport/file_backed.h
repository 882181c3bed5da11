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

/// A value that is read from files, and read again, by a helper, when they have changed. The previous value stays in
/// use while a file hangs, is missing or is damaged. Only callers that come before the first value wait, without a
/// thread.
///
/// A Source provides:
///   using Value = …;
///   std::string name() const;                           // "CA file /x.pem", for errors
///   std::string key() const;                            // of the helpers: sources that may hang together
///   std::vector<FileStamp> stamps(Reading&) const;      // may block
///   FileResult<std::shared_ptr<const Value>> read(Reading&) const;  // may block
///   void advise(const Value&, std::vector<std::string>&) const;
/// It is called from one helper at a time, possibly after the FileBacked has gone.
///
/// [thread-safe] Owned by std::shared_ptr.
template <class Source>
class FileBacked : public std::enable_shared_from_this<FileBacked<Source>>
{
public:
	using Contents = std::shared_ptr<const typename Source::Value>;
	using Clock = std::chrono::steady_clock;

	/// Least time between two looks at the files.
	static constexpr auto lookAgainAfter = std::chrono::seconds(1);
	/// A look that takes longer is told as hanging.
	static constexpr auto hangsAfter = std::chrono::seconds(1);

	struct Current
	{
		Contents contents;
		unsigned generation = 0; ///< counts from 1, one more with each change
	};

	FileBacked(std::shared_ptr<runtime::Helpers> helpers, Source source,
		std::shared_ptr<OpensslGate> gate = OpensslGate::ofLibrary())
		: _helpers(std::move(helpers)), _source(std::make_shared<const Source>(std::move(source))),
		  _gate(std::move(gate))
	{
	}

	/// Has the files looked at if the last look is a second old. Returns the generation in use; 0: none yet.
	unsigned refresh()
	{
		const auto now = Clock::now();
		const std::lock_guard lock(_mutex);
		if (now - _lookedAt >= lookAgainAfter) {
			look(now);
		}
		return _current.generation;
	}

	/// Returns the value in use; the first time, once it has been read. Fails with kind `configuration` if the files
	/// cannot be used (or, with `outOfDescriptors`, not opened now), `timeout` or `cancelled` if that is not known yet,
	/// `network` if this machine has no thread left.
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
			// Without a descriptor to wait for, it checks from time to time.
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

	/// Waits until a look has ended that began after this call; `hangsAfter` at most, and not beyond `deadline`.
	[[nodiscard]] Task<> lookAgain(Deadline deadline)
	{
		deadline = std::min(deadline, Clock::now() + hangsAfter);
		std::optional<unsigned> wanted;
		for (auto wake = Wake::ready; wake == Wake::ready;) {
			Descriptor done;
			{
				const std::lock_guard lock(_mutex);
				if (!wanted) {
					wanted = _looks + (_looking ? 2 : 1); // one under way may have seen the files before a change
				}
				if (_looks >= *wanted) {
					co_return;
				}
				look(Clock::now());
				if (!_looking || !(done = awaitable())) {
					co_return; // no thread or descriptor is left: what was read before is used
				}
			}
			wake = co_await ready(done.get(), POLLIN, deadline);
		}
	}

	/// Adds the lines that an operator should know while their cause lasts.
	void advise(std::vector<std::string>& lines) const
	{
		const std::lock_guard lock(_mutex);
		if (!_current.contents) {
			return;
		}
		constexpr auto before = "; the content read before stays in use";
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
			if (auto self = _owner.lock()) {
				{
					const std::lock_guard lock(self->_mutex);
					self->_at = what;
				}
				const auto pass = openssl(); // this may be the last owner
				self.reset();
			}
		}

	private:
		std::weak_ptr<Self> _owner;
	};

	/// Submits a look, unless one is under way. Called under the lock.
	void look(Clock::time_point now)
	{
		if (_looking) {
			return;
		}
		auto known = _current.contents ? std::optional(_stamps) : std::nullopt;
		auto work = [owner = this->weak_from_this(), source = _source, gate = _gate, known = std::move(known)] {
			lookNow(owner, *source, *gate, known);
		};
		_at.clear();
		_lookedAt = now;
		_looking = _helpers->submit(_source->key(), std::move(work));
		if (!_looking) {
			_complaint = _source->name() + " cannot be read: this machine has no thread left for it";
		}
	}

	/// Does one look. Runs on a helper.
	static void lookNow(
		const std::weak_ptr<Self>& owner, const Source& source, OpensslGate& gate, const std::optional<Stamps>& known)
	{
		std::optional<FileResult<Contents>> found;
		Stamps stamps;
		try {
			Look look(owner, gate);
			stamps = source.stamps(look); // before the reading: a change in between is noticed next time
			if (!known || *known != stamps) {
				found = source.read(look);
			}
		}
		catch (const std::exception& error) {
			found.emplace(failure(source.name() + " cannot be read: " + error.what()));
		}
		auto self = owner.lock();
		Contents replaced = self ? self->finish(std::move(stamps), found) : nullptr;
		// Each of these may be the last owner of objects of OpenSSL.
		const auto pass = gate.enter();
		found.reset();
		replaced.reset();
		self.reset();
	}

	/// Takes the result of a look. `found`: nothing if the files have not changed. Returns the contents replaced.
	[[nodiscard]] Contents finish(Stamps stamps, std::optional<FileResult<Contents>>& found)
	{
		Contents replaced;
		const std::lock_guard lock(_mutex);
		if (found) {
			_noDescriptor = !*found && found->error().outOfDescriptors;
			_stamps = _noDescriptor ? Stamps() : std::move(stamps);
			_complaint = *found ? std::string() : std::move(found->error().text);
			if (*found) {
				replaced = std::exchange(_current.contents, std::move(**found));
				++_current.generation;
			}
		}
		_looking = false;
		_at.clear();
		++_looks;
		if (_done) {
			::eventfd_write(_done.get(), 1); // waiting callers hold duplicates of it
			_done = Descriptor();
		}
		return replaced;
	}

	/// Returns a descriptor that becomes readable at the end of the look under way. Called under the lock.
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
	const std::shared_ptr<OpensslGate> _gate;

	mutable std::mutex _mutex; ///< guards all below
	Current _current;          ///< without a value: never read
	/// Of the files at the last reading, whether it succeeded or not; empty: read them again.
	Stamps _stamps;
	std::string _complaint;        ///< why the files as they are now cannot be used; empty: they can
	bool _noDescriptor = false;    ///< the complaint is a lack of descriptors
	Clock::time_point _lookedAt{}; ///< time at which the latest look was submitted
	bool _looking = false;         ///< a look is queued or under way
	std::string _at;               ///< the file that the look is reading; empty: it has not begun
	unsigned _looks = 0;           ///< number of looks that have ended
	Descriptor _done;              ///< signals the end of the look under way; invalid: no caller waits for it
};

} // namespace issuer::vault::transport
