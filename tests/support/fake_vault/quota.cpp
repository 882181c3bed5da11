#include "fake_vault/quota.h"

#include <algorithm>
#include <chrono>

namespace issuer::test {

Quota::QuotaDecision Quota::ask(ServerTime now)
{
	if (now >= _windowEnds) {
		_windowEnds = now + _rule.interval;
		_used = 0;
	}
	++_used;
	return {.allowed = _used <= _rule.rate,
		.remaining = std::max(0, _rule.rate - _used),
		.reset = std::chrono::floor<std::chrono::seconds>(_windowEnds - now)};
}

} // namespace issuer::test
