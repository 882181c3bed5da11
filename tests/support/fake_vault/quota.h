#pragma once

#include "fake_vault/clock.h"

#include <chrono>

namespace issuer::test {

/// A rate-limit quota: so many requests in each window, the rest refused until it ends. Pure: the time is an argument.
class Quota
{
public:
	struct Rule
	{
		int rate = 1; ///< requests in one window
		std::chrono::seconds interval{1};
		bool headers = false; ///< tell the client; a real server does not unless it is configured so
	};

	/// The answer to one request.
	struct QuotaDecision
	{
		bool allowed;
		int remaining;              ///< requests left in this window
		std::chrono::seconds reset; ///< until the next window, cut to whole seconds: 0 in the last one
	};

	explicit Quota(const Rule& rule) : _rule(rule) {}

	QuotaDecision ask(ServerTime now);
	[[nodiscard]] const Rule& rule() const { return _rule; }

private:
	Rule _rule;
	ServerTime _windowEnds;
	int _used = 0;
};

} // namespace issuer::test
