#pragma once

#include "base/descriptor.h"
#include "runtime/thread.h"

namespace issuer::vault::runtime {

/// One thread that sleeps until one of its descriptors is readable, for as long as that takes.
class EventLoop
{
public:
	class Handler
	{
	public:
		/// On the loop's thread; brief: nothing that waits. Reads what made its descriptor readable.
		virtual void readable() noexcept = 0;

	protected:
		~Handler() = default;
	};

	/// Starts the thread, named `name`. Throws std::system_error.
	explicit EventLoop(const char* name);
	~EventLoop(); ///< close()

	/// `fd` and `handler` outlive the loop's thread. Throws std::system_error. [thread-safe]
	void watch(int fd, Handler& handler);
	/// Joins the thread.
	void close() noexcept;

private:
	void run() noexcept;

	Descriptor _poll;
	Descriptor _closing;
	Thread _thread; ///< last: it uses the others
};

} // namespace issuer::vault::runtime
