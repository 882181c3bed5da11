#pragma once

#include <issuer/lifecycle.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::observe {

/// The changes of a credential that are worth telling an operator.
enum class Turn
{
	recovered,   ///< it was renewed after an attempt that failed
	capped,      ///< no renewal moves its end any more
	dead,        ///< it has ended
	replaced,    ///< its source holds a new one
	loggedIn,    ///< a login has brought a new one
	loginFailed, ///< a login failed, and the one before did not
	loginEnds,   ///< the next login will fail: its material ends before
};

[[nodiscard]] std::string_view turnName(Turn turn);

/// Finds the events at which something turns, each once: a credential that stays dead is dead once. [thread-safe]
class TurningPoints
{
public:
	[[nodiscard]] std::vector<Turn> at(std::string_view issuer, const issuer_event& event);

private:
	struct Known
	{
		issuer_state state = ISSUER_STATE_STOPPED;
		issuer_reason reason = ISSUER_REASON_NONE;
		bool failing = false;      ///< the last attempt to renew failed
		bool loginFailing = false; ///< the last login failed
	};

	std::mutex _mutex;
	std::map<std::string, Known, std::less<>> _issuers;
};

} // namespace issuer::observe
