/*
 * issuer.diagnose/1: what will become of this credential, and what is to be changed? Asked before a host is trusted
 * with it, or when something is wrong for an unknown reason.
 *
 * The plugin tries everything that a renewal needs, in the same order, and reports each result: where a renewal only
 * fails, a diagnosis names the cause. `diagnose` asks the server nothing that changes
 * anything, and above all it neither renews nor logs in; `diagnose_login` does log in.
 */
#pragma once

#include "lifecycle.h"

#define ISSUER_EXT_DIAGNOSE "issuer.diagnose/1"

#ifdef __cplusplus
extern "C" {
#endif

typedef int32_t issuer_finding_level; /* an unknown one: show the finding, as a note */
enum
{
	ISSUER_FINDING_OK = 0,     /* as it should be */
	ISSUER_FINDING_NOTE = 1,   /* worth knowing */
	ISSUER_FINDING_WARN = 2,   /* works today, and will not for ever */
	ISSUER_FINDING_PROBLEM = 3 /* the credential is not kept alive like this */
};

/* One thing that was looked at. Texts are for people, one line each, and hold no secret. */
typedef struct issuer_finding
{
	uint32_t struct_size;
	issuer_finding_level level;
	issuer_str topic;  /* a lower-case word, such as "address", "name", "tls", "credential", "policy", "lifetime" */
	issuer_str text;   /* what was found, and what will come of it: «capped: dies 2026-12-24 10:00» */
	issuer_str advice; /* what to change: «use a periodic token»; empty where there is nothing to do */
} issuer_finding;

/* Takes one finding; it and its strings are borrowed for the call. */
typedef void (*issuer_find)(void* ctx, const issuer_finding* finding) ISSUER_NOEXCEPT;

typedef struct issuer_diagnose_ext
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */

	/*
	 * Looks at everything and calls find(ctx, …) for each finding, in the order of looking, before it returns, on the
	 * calling thread. Leaves out a step that an earlier finding made impossible. ISSUER_OK says that it has looked, not
	 * that all is well. When timeout_ms have passed it returns, with a finding that names the step under way.
	 * Afterwards the instance is as before: it has no thread and may be started.
	 * Errors: ISSUER_E_STATE while running; ISSUER_E_REENTRANT from inside a callback of the same instance.
	 * [control-thread & !running] [blocks <= timeout]
	 */
	issuer_rc (*diagnose)(
		issuer_instance* self, uint32_t timeout_ms, issuer_find find, void* ctx, issuer_error* err) ISSUER_NOEXCEPT;
	/* 1.0 ends here */

	/*
	 * Logs in once, as configured, looks the new credential up and revokes it; each is a finding of topic "login".
	 * Costs one use of the login material and changes nothing else. All else is as for diagnose, whose findings it
	 * does not repeat.
	 * Errors: as diagnose; ISSUER_E_UNSUPPORTED when the instance's configuration names nothing to log in with.
	 * [control-thread & !running] [blocks <= timeout]
	 */
	issuer_rc (*diagnose_login)(
		issuer_instance* self, uint32_t timeout_ms, issuer_find find, void* ctx, issuer_error* err) ISSUER_NOEXCEPT;
} issuer_diagnose_ext;

#ifdef __cplusplus
}
#endif
