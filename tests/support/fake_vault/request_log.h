#pragma once

#include "fake_vault/clock.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace issuer::test {

/// The requests and answers of a server, for tests to judge and to wait for. Never contains a token's text: the token
/// is named by its display name. [thread-safe]
class RequestLog
{
public:
	struct Entry
	{
		ServerTime begun; ///< when the request had come
		ServerTime at;    ///< of the answer
		std::string method;
		std::string call;  ///< the path below /v1/, without its "auth/token/": "renew-self", "sys/health"
		std::string who;   ///< display name of the token; empty: none, or one the server has never known
		int status;        ///< 0: not answered
		std::string fault; ///< the one that struck; empty: none
	};
	using Entries = std::vector<Entry>;

	void add(Entry entry);

	[[nodiscard]] Entries entries() const;
	/// Counts the requests of this call by one token, `who`; empty: by any token.
	[[nodiscard]] int count(const std::string& call, const std::string& who = "") const;

	/// Waits until so many of the call have come. False: not within the limit, which only a failing test reaches.
	bool waitForCount(const std::string& call, int count, const std::string& who = "") const;
	bool waitFor(const std::function<bool(const Entries&)>& condition,
		std::chrono::seconds limit = std::chrono::seconds(60)) const;

private:
	mutable std::mutex _mutex;
	mutable std::condition_variable _added;
	Entries _entries;
};

} // namespace issuer::test
