/// A plugin's calls into its host, and the detection of calls that the host makes back from inside of them.
#pragma once

#include <issuer/kit/facts.h>
#include <issuer/kit/text.h>
#include <issuer/lifecycle.h>

#include <mutex>
#include <string_view>

namespace issuer::kit {

/// Marks, while it lives, that this thread is inside one of the host's callbacks for the instance of `owner`: record,
/// log, a visit, a finding or a write. A chain, because a host may, inside a callback for one instance, call another
/// one that calls back in its turn.
class CallbackScope
{
public:
	explicit CallbackScope(const void* owner) noexcept;
	~CallbackScope();
	CallbackScope(const CallbackScope&) = delete;
	CallbackScope& operator=(const CallbackScope&) = delete;

	/// Returns whether this thread is inside a callback for the instance of `owner`.
	[[nodiscard]] static bool isInside(const void* owner) noexcept;

private:
	const void* _owner;
	const CallbackScope* _outer;
};

namespace detail {

/// The innermost callback of this thread. A plain pointer: one with a destructor would keep the library mapped for as
/// long as a host's thread lives. Hidden: two plugins of one process must not share it, and a symbol that they share
/// would keep both of them mapped.
[[gnu::visibility("hidden")]] inline constinit thread_local const CallbackScope* innermostCallback = nullptr;

} // namespace detail

inline CallbackScope::CallbackScope(const void* owner) noexcept : _owner(owner), _outer(detail::innermostCallback)
{
	detail::innermostCallback = this;
}

inline CallbackScope::~CallbackScope()
{
	detail::innermostCallback = _outer;
}

inline bool CallbackScope::isInside(const void* owner) noexcept
{
	const auto* scope = detail::innermostCallback;
	while (scope != nullptr && scope->_owner != owner) {
		scope = scope->_outer;
	}
	return scope != nullptr;
}

/// Speaks to the host for one instance: lines to its log, events to its recorder. Texts are made fit for people: one
/// line of UTF-8 each. Outlives the author's object, so that its destructor may still speak.
class HostCallbacks
{
public:
	/// `host` is the host's and outlives this.
	explicit HostCallbacks(const issuer_host& host) noexcept : _host(host) {}
	HostCallbacks(const HostCallbacks&) = delete;
	HostCallbacks& operator=(const HostCallbacks&) = delete;

	/// Has the host show one line. `component` is a lower-case word: see issuer_host. [thread-safe]
	void log(issuer_log_level level, std::string_view component, std::string_view text) noexcept
	try {
		const OneLine line(text);
		const CallbackScope inside(this);
		_host.log(_host.ctx, level, borrow(component), line.lend());
	}
	catch (...) { // no memory for a copy that is fit for people: the line is lost
	}

	/// Tells the recorder, if there is one, on the calling thread. Calls are made one after the other.
	void record(const Event& event) noexcept
	try {
		const OneLine line(event.detail);
		const issuer_event out = detail::toAbi(event, line.lend());
		const std::lock_guard lock(_mutex);
		if (_recorder.record != nullptr) {
			const CallbackScope inside(this);
			_recorder.record(_recorder.ctx, &out);
		}
	}
	catch (...) { // as above
	}

	/// Returns the host's table for an extension id, or null.
	template <class Table>
	[[nodiscard]] const Table* extension(const char* id) const noexcept
	{
		return _host.get_extension != nullptr ? static_cast<const Table*>(_host.get_extension(_host.ctx, id)) : nullptr;
	}

	/// Replaces the recorder; null: none. On return the one before is neither running nor ever called again.
	/// The kit calls this for set_recorder.
	void setRecorder(const issuer_recorder* recorder)
	{
		const std::lock_guard lock(_mutex);
		_recorder = recorder != nullptr ? *recorder : issuer_recorder{};
	}

private:
	const issuer_host& _host;
	std::mutex _mutex; ///< held while the recorder runs
	issuer_recorder _recorder{};
};

} // namespace issuer::kit
