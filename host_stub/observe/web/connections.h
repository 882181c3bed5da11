#pragma once

#include "common/descriptor.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <thread>

namespace issuer::observe::web {

/// The open connections of a server: bounded in number and in time, so that clients that drip, or keep what they do not
/// use, never keep others out. A new one always comes in; where there are too many, the one goes that has kept the
/// server waiting for longest. A connection that goes is shut down, which ends whatever its thread waits for.
/// [thread-safe]
class Connections
{
public:
	struct Limits
	{
		std::size_t most = 64;
		std::chrono::milliseconds request{10'000}; ///< for a whole request's head, and between two
		std::chrono::milliseconds answer{30'000};  ///< for a whole answer to be taken
	};

	explicit Connections(const Limits& limits);
	~Connections();
	Connections(const Connections&) = delete;
	Connections& operator=(const Connections&) = delete;

	/// A connection over the socket `fd`, whose name here is `key`. False: nobody can go for it.
	[[nodiscard]] bool admit(const void* key, int fd);
	/// Its request has been read and is being answered; it has been answered; it has ended.
	void answering(const void* key);
	void answered(const void* key);
	void ended(const void* key);

	/// Shuts all of them down.
	void shutDownAll();

private:
	using Clock = std::chrono::steady_clock;

	struct Connection
	{
		Descriptor socket; ///< our own: the server's may be closed, and its number be another's
		bool isAnswering = false;
		Clock::time_point since;
	};
	using All = std::map<const void*, Connection>;

	void shutDown(All::iterator connection);
	bool makeRoom();
	void watch();

	const Limits _limits;
	std::mutex _mutex; ///< of all that follows
	std::condition_variable _changed;
	All _all;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe::web
