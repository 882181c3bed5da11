/*
 * issuer.handover/1: what an instance knows, given to its successor, so that a hot swap neither asks the server again
 * nor loses a count, and a forecast once made is not forgotten.
 *
 *     stop(old) → export_state(old) → destroy(old) → import_state(new) → start(new)
 *
 * A copy of it, taken while the instance runs, lets another machine go on should this one die (1.1):
 *
 *     snapshot_state(running), often … import_state(new, elsewhere) → start(new)
 *
 * The state is a JSON text with a version of its own: the lease and its clock, the state, the counters. Never
 * a secret: the new instance reads its credential from its own source, or gets it by issuer.secrets/1. The host
 * carries it unread.
 */
#pragma once

#include "lifecycle.h"

#define ISSUER_EXT_HANDOVER "issuer.handover/1"

#ifdef __cplusplus
extern "C" {
#endif

/* Takes the text; borrowed for the call. */
typedef void (*issuer_write)(void* ctx, issuer_str blob) ISSUER_NOEXCEPT;

typedef struct issuer_handover_ext
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */

	/*
	 * Calls write(ctx, text) once, before it returns, on the calling thread; not at all on an error. The instance
	 * keeps what it knows and may be started again, should the successor fail.
	 * Errors: ISSUER_E_STATE while running.
	 * [control-thread & !running]
	 */
	issuer_rc (*export_state)(issuer_instance* self, issuer_write write, void* ctx, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * Goes on from there at the next start. Meant for a fresh instance; replaces what an older one knew. The text may
	 * be of another boot or another machine (1.1): a plugin that cannot use its times begins with a look-up. Errors:
	 * ISSUER_E_INVALID for a text that is damaged or of a version it does not know, and ISSUER_E_STATE while running;
	 * neither changes anything, and start then begins with a look-up as usual. [control-thread & !running]
	 */
	issuer_rc (*import_state)(issuer_instance* self, issuer_str blob, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * 1.1; NULL or beyond struct_size: not offered. The text that export_state would give, as of now, also while
	 * running; changes nothing and sends nothing. Calls write(ctx, text) once, before it returns, on the calling
	 * thread; not at all on an error.
	 * [thread-safe]
	 */
	issuer_rc (*snapshot_state)(
		issuer_instance* self, issuer_write write, void* ctx, issuer_error* err) ISSUER_NOEXCEPT;
} issuer_handover_ext;

#ifdef __cplusplus
}
#endif
