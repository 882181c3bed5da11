/*
 * issuer.control/1: a nudge from outside, for a host that knows something the plugin cannot see.
 *
 * Both functions only leave a message and return at once; events tell the result. Messages left while one is waiting
 * become one: a button pressed ten times asks the server once.
 */
#pragma once

#include "lifecycle.h"

#define ISSUER_EXT_CONTROL "issuer.control/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct issuer_control_ext
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */

	/*
	 * Try a renewal now instead of at the planned time. Does not shorten the pause that a server has asked for.
	 * Errors: ISSUER_E_STATE when the instance does not run; ISSUER_E_REENTRANT from inside its callbacks.
	 * [thread-safe]
	 */
	issuer_rc (*renew_now)(issuer_instance* self, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * The source of the credential has (perhaps) a new one: read it now. Also leads out of a state in which the
	 * credential has ended. Without this call a plugin notices on its own, only later.
	 * Errors: as renew_now. That the source cannot be read is not an error here but an event.
	 * [thread-safe]
	 */
	issuer_rc (*credential_changed)(issuer_instance* self, issuer_error* err) ISSUER_NOEXCEPT;
} issuer_control_ext;

#ifdef __cplusplus
}
#endif
