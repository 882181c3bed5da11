#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace issuer::vault {

/// Decides where callbacks of the host run: on the worker that has a report, as long as few workers are inside
/// callbacks, and otherwise on a helper. So a recorder that blocks delays its own instance only, however many do.
/// [thread-safe]
class Callbacks
{
public:
	/// Runs a piece of work that may block; returns false if it cannot. Throws std::bad_alloc.
	using Helper = std::function<bool(std::function<void()>)>;

	/// `mostHere`: most workers that may be inside callbacks at a time.
	explicit Callbacks(Helper helper, int mostHere = 16) : _helper(std::move(helper)), _mostHere(mostHere) {}

	/// Returns whether this worker may call the host itself. If true, it calls leave() afterwards.
	[[nodiscard]] bool enter() noexcept
	{
		const bool may = ++_here <= _mostHere;
		_here -= may ? 0 : 1;
		return may;
	}
	void leave() noexcept { --_here; }

	/// Has a helper run `work`. Returns false if none can be had.
	[[nodiscard]] bool elsewhere(std::function<void()> work) { return _helper(std::move(work)); }

private:
	const Helper _helper;
	const int _mostHere;
	std::atomic<int> _here = 0;
};

} // namespace issuer::vault
