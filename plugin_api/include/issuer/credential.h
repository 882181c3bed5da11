/*
 * issuer.credential/1: the live credential, lent for the length of one call, for the host's own requests.
 *
 * Rationale: a visit instead of a getter. A copy handed out could not be wiped; a text that is only shown stays the
 * plugin's to wipe.
 */
#pragma once

#include "lifecycle.h"

#define ISSUER_EXT_CREDENTIAL "issuer.credential/1"

#ifdef __cplusplus
extern "C" {
#endif

/* Looks at the secret; borrowed for the call. Must not block: a replaced credential is wiped when the last visit ends.
 */
typedef void (*issuer_visit)(void* ctx, issuer_str secret) ISSUER_NOEXCEPT;

typedef struct issuer_credential_ext
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */

	/*
	 * Calls visit(ctx, secret) once, before it returns, on the calling thread; not at all on an error. Every call
	 * sees the credential that is in use at that moment: keep none across calls.
	 * Errors: ISSUER_E_UNAVAILABLE when there is none (never started, or the source could not be read yet);
	 * ISSUER_E_REENTRANT from inside a callback of the same instance, a visit too.
	 * [thread-safe]
	 */
	issuer_rc (*use)(issuer_instance* self, issuer_visit visit, void* ctx, issuer_error* err) ISSUER_NOEXCEPT;
} issuer_credential_ext;

#ifdef __cplusplus
}
#endif
