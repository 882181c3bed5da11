#pragma once

#include "fake_vault/clock.h"

#include <chrono>
#include <map>
#include <string>

namespace issuer::test {

/// The user lockout of an auth mount, as OpenBao 2.6.2 does it: counts the wrong logins of each identity, from any
/// sender. Pure: the time is an argument.
class Lockout
{
public:
	/// As `user_lockout_config` of sys/auth/<mount>/tune names them.
	struct Rule
	{
		bool enabled = true;
		int threshold = 5;                          ///< wrong logins that lock
		std::chrono::seconds duration{15 * 60};     ///< of the lock, from the last wrong login that was counted
		std::chrono::seconds counterReset{15 * 60}; ///< after a wrong login; further apart they never lock
	};

	/// Returns whether every login of the identity is refused, also a right one. To ask does not extend the lock.
	[[nodiscard]] bool isLocked(const std::string& identity, ServerTime now) const;

	void failed(const std::string& identity, ServerTime now);
	void succeeded(const std::string& identity) { _wrong.erase(identity); }

	Rule rule;

private:
	struct Wrong
	{
		int count = 0;
		ServerTime last;
	};
	std::map<std::string, Wrong> _wrong;
};

} // namespace issuer::test
