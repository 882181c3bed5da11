/*
 * issuer.secrets/1: what an instance cannot read again from its sources, lent to its successor within one call.
 *
 *     stop(old) → export_state(old) → lend(old → take(new)) → destroy(old) → import_state(new) → start(new)
 *
 * A plugin that logs in holds secrets that are nowhere else: the token that the login brought, a secret id from a
 * wrapping token that can be unwrapped only once. Without them a swap costs a login at least, and perhaps the last
 * material to log in with. They go by this extension alone; the text of issuer.handover/1 stays without secrets.
 *
 * The bytes are opaque. A host passes them on within the visit and keeps no copy, and passes them only to an
 * instance of a plugin with the same descriptor id. When a swap fails after the successor was started, the successor
 * lends before it is destroyed, to the instance that takes its place: what an instance has taken, it can lend,
 * whether it was started or not.
 *
 * Rationale: a visit, as in issuer.credential/1. The bytes live in memory that the plugin wipes; a copy in the host
 * could be swapped out, dumped, or forgotten.
 */
#pragma once

#include "lifecycle.h"

#define ISSUER_EXT_SECRETS "issuer.secrets/1"

#ifdef __cplusplus
extern "C" {
#endif

/* Takes a look at the bytes: any bytes, no text. Borrowed for the call: the plugin wipes them when it returns. */
typedef void (*issuer_secrets_visit)(void* ctx, issuer_str secrets) ISSUER_NOEXCEPT;

typedef struct issuer_secrets_ext
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */

	/*
	 * Calls visit(ctx, secrets) once, before it returns, on the calling thread; not at all on an error. The host
	 * calls take of the successor from inside the visit; any function of `self` itself answers ISSUER_E_REENTRANT
	 * there. The instance keeps its secrets and may be started again, should the successor fail.
	 * It also tells that a successor follows: an instance that revokes its credential at its end does not do so after
	 * it has lent, nor with a credential that it has taken and never been started with.
	 * Errors: ISSUER_E_UNAVAILABLE when there is nothing to lend: its sources hold all that a successor needs.
	 * ISSUER_E_STATE while running; ISSUER_E_REENTRANT from inside a callback of the same instance.
	 * [control-thread & !running]
	 */
	issuer_rc (*lend)(issuer_instance* self, issuer_secrets_visit visit, void* ctx, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * Copies the bytes, into memory that is wiped, for the next start; in place of any taken before. Opens no file
	 * and sends no request. start then checks them against the configuration: a secret of another server, mount or
	 * identity is wiped, and never sent.
	 * Errors: ISSUER_E_INVALID for bytes that are damaged or of a version it does not know, and ISSUER_E_STATE while
	 * running; neither changes anything, and start then begins as usual, with the instance's own sources.
	 * ISSUER_E_REENTRANT from inside a callback of the same instance.
	 * [control-thread & !running]
	 */
	issuer_rc (*take)(issuer_instance* self, issuer_str secrets, issuer_error* err) ISSUER_NOEXCEPT;
} issuer_secrets_ext;

#ifdef __cplusplus
}
#endif
