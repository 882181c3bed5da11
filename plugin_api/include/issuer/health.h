/*
 * issuer.health/1: how is it, right now? The host asks the plugin.
 *
 * Events tell what changed; a snapshot tells where things stand, also for a host that attached its recorder late.
 */
#pragma once

#include "lifecycle.h"

#define ISSUER_EXT_HEALTH "issuer.health/1"

#ifdef __cplusplus
extern "C" {
#endif

/* Times are wall clock in ms since the Unix epoch; -1 is "never", "unknown" or "none". Counters count from create. */
typedef struct issuer_health
{
	uint32_t struct_size;
	issuer_state state;
	issuer_reason reason;
	uint32_t consecutive_failures;
	int64_t expires_unix_ms;
	int64_t next_unix_ms; /* next planned request, logins too; none while one is out */
	int64_t last_success_unix_ms;
	int64_t last_attempt_unix_ms;
	uint64_t success;
	uint64_t failure;
	uint64_t not_renewable;
	uint64_t last_latency_us;  /* of the last attempt; 0 before the first */
	int64_t lease_ms;          /* as last granted */
	int64_t capped_at_unix_ms; /* the end that no renewal can move, as soon as it is known */
	/* 1.1 */
	uint64_t login_success;     /* logins whose credential was proven and taken into use */
	uint64_t login_failure;     /* all other logins that have ended */
	int64_t next_login_unix_ms; /* next planned login */
	int64_t login_ends_unix_ms; /* the moment from which logins fail: a JWT's, a certificate's or a secret id's end. -1
								   where it is unknown, and where the material is replaced by nature before it ends, as
								   kubelet replaces a pod's JWT */
	int64_t login_uses_left;    /* number of logins that the material still allows; -1 unknown or unlimited */
} issuer_health;

typedef struct issuer_health_ext
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */

	/*
	 * Fills *out with one consistent moment. The caller sets out->struct_size to the size it knows; the plugin
	 * writes no further than that, and sets it to what it has filled. Allowed in every state, also while start waits.
	 * From inside a callback of the same instance: ISSUER_E_REENTRANT.
	 * [thread-safe]
	 */
	issuer_rc (*snapshot)(issuer_instance* self, issuer_health* out, issuer_error* err) ISSUER_NOEXCEPT;
} issuer_health_ext;

#ifdef __cplusplus
}
#endif
