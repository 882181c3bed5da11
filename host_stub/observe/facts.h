#pragma once

#include <issuer/lifecycle.h>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace issuer::observe {

/// Finds the events that say what another one is about to say. A renewal that first meets an end which no renewal can
/// move is recorded as that renewal, as one that is not renewable, and as the new state: for machines three counts, for
/// people one fact. [thread-safe]
class Facts
{
public:
	/// Whether the state's own event, which comes next, says all that this one does.
	[[nodiscard]] bool isToldByTheNext(std::string_view issuer, const issuer_event& event)
	{
		const bool endIsFixed = event.state == ISSUER_STATE_CAPPED || event.state == ISSUER_STATE_NOT_RENEWABLE;
		const std::lock_guard lock(_mutex);
		const auto known = _fixed.find(issuer);
		if (event.kind == ISSUER_EVENT_RENEWAL) {
			return endIsFixed && (known == _fixed.end() || known->second != event.state);
		}
		if (endIsFixed) {
			_fixed.insert_or_assign(std::string(issuer), event.state);
		}
		else if (known != _fixed.end()) {
			_fixed.erase(known);
		}
		return false;
	}

private:
	std::mutex _mutex;
	std::map<std::string, issuer_state, std::less<>> _fixed; ///< issuers whose end is known to be fixed
};

} // namespace issuer::observe
