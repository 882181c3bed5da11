#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace issuer::observe {

/// Tells of work on another thread that has not ended in time. A call to a file system that does not answer takes no
/// limit of its own: the thread that made it can tell nothing.
class SilenceWatch
{
public:
	/// `tell` is called on a thread of this object's, once for each piece of work that lasts for `patience`; the work's
	/// over() returns after it. It must return soon and not call this object.
	SilenceWatch(std::chrono::milliseconds patience, std::function<void()> tell);
	~SilenceWatch();
	SilenceWatch(const SilenceWatch&) = delete;
	SilenceWatch& operator=(const SilenceWatch&) = delete;

	/// Runs `work` on the caller's thread and returns its result. One piece of work at a time.
	template <class Work>
	auto over(const Work& work)
	{
		const Watched watched(*this);
		return work();
	}

private:
	struct Watched
	{
		explicit Watched(SilenceWatch& owner) : watch(owner) { watch.set(true); }
		~Watched() { watch.set(false); }
		Watched(const Watched&) = delete;
		Watched& operator=(const Watched&) = delete;

		SilenceWatch& watch;
	};

	void set(bool working);
	void run();

	const std::chrono::milliseconds _patience;
	const std::function<void()> _tell;
	std::mutex _mutex; ///< guards all below
	std::condition_variable _changed;
	unsigned long _begun = 0; ///< number of pieces of work so far
	bool _working = false;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe
