#include "observe/journal/silence_watch.h"

#include <issuer/kit/signals_blocked.h>
#include <utility>

namespace issuer::observe {

SilenceWatch::SilenceWatch(std::chrono::milliseconds patience, std::function<void()> tell)
	: _patience(patience), _tell(std::move(tell))
{
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this] { run(); });
}

SilenceWatch::~SilenceWatch()
{
	{
		const std::lock_guard lock(_mutex);
		_closing = true;
	}
	_changed.notify_one();
	_thread.join();
}

void SilenceWatch::set(bool working)
{
	{
		const std::lock_guard lock(_mutex);
		_working = working;
		_begun += working ? 1 : 0;
	}
	_changed.notify_one();
}

void SilenceWatch::run()
{
	std::unique_lock lock(_mutex);
	for (;;) {
		_changed.wait(lock, [this] { return _working || _closing; });
		if (_closing) {
			return;
		}
		const auto over = [this, work = _begun] { return !_working || _begun != work || _closing; };
		if (!_changed.wait_for(lock, _patience, over)) {
			_tell(); // under the lock, so that over() does not return before what is told of its work
			_changed.wait(lock, over);
		}
	}
}

} // namespace issuer::observe
