#pragma once

#include <issuer/lifecycle.h>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace issuer::observe {

/// Finds events that repeat each other. A renewal that first meets an end which no renewal can move is recorded as that
/// renewal, as one that is not renewable, and as the new state: three counts for metrics, one line in a log.
/// [thread-safe]
class Facts
{
public:
	/// Returns whether the state's own event, which comes next, repeats all of this one.
	[[nodiscard]] bool isToldByTheNext(std::string_view issuer, const issuer_event& event)
	{
		const bool endIsFixed = event.state == ISSUER_STATE_CAPPED || event.state == ISSUER_STATE_NOT_RENEWABLE;
		const std::lock_guard lock(_mutex);
		const auto known = _fixed.find(issuer);
		if (event.kind == ISSUER_EVENT_LOGIN && endIsFixed) {
			return false; // says more than the state does
		}
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
	std::map<std::string, issuer_state, std::less<>> _fixed; ///< issuers whose credential's end no renewal can move
};

} // namespace issuer::observe
