#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace issuer::vault {

/// Where the host is told what happens: on the worker that has something to tell, as long as few workers are there, and
/// on a helper of their own where the callbacks of other instances hold workers up. So a recorder that blocks delays
/// its own instance only, however many do. [thread-safe]
class Callbacks
{
public:
	/// Runs a piece of work that may block; false: it cannot. Throws std::bad_alloc.
	using Helper = std::function<bool(std::function<void()>)>;

	/// `mostHere`: so many workers may be inside callbacks at a time.
	explicit Callbacks(Helper helper, int mostHere = 16) : _helper(std::move(helper)), _mostHere(mostHere) {}

	/// Whether this worker may call the host itself. True: it says leave() after.
	[[nodiscard]] bool enter() noexcept
	{
		const bool may = ++_here <= _mostHere;
		_here -= may ? 0 : 1;
		return may;
	}
	void leave() noexcept { --_here; }

	/// Has a helper do it. False: none can be had.
	[[nodiscard]] bool elsewhere(std::function<void()> work) { return _helper(std::move(work)); }

private:
	const Helper _helper;
	const int _mostHere;
	std::atomic<int> _here = 0;
};

} // namespace issuer::vault
