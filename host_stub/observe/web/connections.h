#pragma once

#include "common/descriptor.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <thread>

namespace issuer::observe::web {

/// The open connections of a server: bounded in number and in time, so that clients that send slowly, or hold
/// connections they do not use, never keep others out. A new connection is always accepted; if there are too many, the
/// one that has kept the server waiting longest is shut down, which ends any wait of its thread. [thread-safe]
class Connections
{
public:
	struct Limits
	{
		std::size_t most = 64;
		std::chrono::milliseconds request{10'000}; ///< for the head of a request, and between two requests
		std::chrono::milliseconds answer{30'000};  ///< for the client to take a whole answer
	};

	explicit Connections(const Limits& limits);
	~Connections();
	Connections(const Connections&) = delete;
	Connections& operator=(const Connections&) = delete;

	/// Adds a connection over the socket `fd`, identified by `key`. Returns false if no other can be shut down for it.
	[[nodiscard]] bool admit(const void* key, int fd);
	/// Tells that its request has been read and is being answered; that it has been answered; that it has ended.
	void answering(const void* key);
	void answered(const void* key);
	void ended(const void* key);

	/// Shuts all of them down.
	void shutDownAll();

private:
	using Clock = std::chrono::steady_clock;

	struct Connection
	{
		Descriptor socket; ///< a duplicate: the server may close its own, and the number may be used again
		bool isAnswering = false;
		Clock::time_point since;
	};
	using All = std::map<const void*, Connection>;

	void shutDown(All::iterator connection);
	bool makeRoom();
	void watch();

	const Limits _limits;
	std::mutex _mutex; ///< guards all below
	std::condition_variable _changed;
	All _all;
	bool _closing = false;
	std::thread _thread;
};

} // namespace issuer::observe::web
