#pragma once

#include "observe/fleet/issuer_record.h"

namespace issuer::test {

/// Events as a plugin records them, with a next step after half of what is left.
inline issuer_event state(issuer_state state, observe::UnixTime at, std::chrono::milliseconds left)
{
	issuer_event event{};
	event.struct_size = sizeof event;
	event.kind = ISSUER_EVENT_STATE;
	event.state = state;
	event.unix_ms = at.time_since_epoch().count();
	event.ttl_ms = left.count();
	event.expires_unix_ms = event.unix_ms + event.ttl_ms;
	event.next_unix_ms = event.unix_ms + event.ttl_ms / 2;
	return event;
}

inline issuer_event renewal(issuer_result result, observe::UnixTime at, std::chrono::milliseconds left)
{
	issuer_event event = state(result == ISSUER_RESULT_SUCCESS
								   ? ISSUER_STATE_ACTIVE
								   : (result == ISSUER_RESULT_FAILURE ? ISSUER_STATE_RETRYING : ISSUER_STATE_CAPPED),
		at, left);
	event.kind = ISSUER_EVENT_RENEWAL;
	event.result = result;
	event.latency_us = 12'000;
	return event;
}

} // namespace issuer::test
