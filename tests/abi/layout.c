/*
 * The layout of the contract, frozen. What is written here was released: lines are only ever added. A line that does
 * not hold any more means that plugins and hosts in the field would read each other wrongly.
 */
#include "issuer/control.h"
#include "issuer/credential.h"
#include "issuer/diagnose.h"
#include "issuer/handover.h"
#include "issuer/health.h"
#include "issuer/lifecycle.h"
#include "issuer/secrets.h"

#if UINTPTR_MAX != UINT64_MAX
#error "The frozen layout is that of 64-bit systems; add the one of this system beside it."
#endif

#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has changed its size")
#define VALUE(name, value) _Static_assert((name) == (value), #name " has changed its value")
#define SIGNED(type) _Static_assert(sizeof(type) == 4 && (type)-1 < 0, #type " is no int32_t any more")

/* 1.0 */
VALUE(ISSUER_ABI_MAJOR, 1u);

SIGNED(issuer_rc);
VALUE(ISSUER_OK, 0);
VALUE(ISSUER_E_INVALID, 1);
VALUE(ISSUER_E_STATE, 2);
VALUE(ISSUER_E_BUSY, 3);
VALUE(ISSUER_E_TIMEOUT, 4);
VALUE(ISSUER_E_REENTRANT, 5);
VALUE(ISSUER_E_UNSUPPORTED, 6);
VALUE(ISSUER_E_NOMEM, 7);
VALUE(ISSUER_E_INTERNAL, 8);
VALUE(ISSUER_E_UNAVAILABLE, 9);
VALUE(ISSUER_E_CANCELLED, 10);

SIGNED(issuer_log_level);
VALUE(ISSUER_LOG_DEBUG, 0);
VALUE(ISSUER_LOG_INFO, 1);
VALUE(ISSUER_LOG_WARN, 2);
VALUE(ISSUER_LOG_ERROR, 3);

SIGNED(issuer_event_kind);
VALUE(ISSUER_EVENT_RENEWAL, 1);
VALUE(ISSUER_EVENT_STATE, 2);
VALUE(ISSUER_EVENT_LOGIN, 3); /* 1.1 */

SIGNED(issuer_result);
VALUE(ISSUER_RESULT_NONE, 0);
VALUE(ISSUER_RESULT_SUCCESS, 1);
VALUE(ISSUER_RESULT_FAILURE, 2);
VALUE(ISSUER_RESULT_NOT_RENEWABLE, 3);

SIGNED(issuer_state);
VALUE(ISSUER_STATE_STOPPED, 0);
VALUE(ISSUER_STATE_STARTING, 1);
VALUE(ISSUER_STATE_ACTIVE, 2);
VALUE(ISSUER_STATE_RETRYING, 3);
VALUE(ISSUER_STATE_CAPPED, 4);
VALUE(ISSUER_STATE_NOT_RENEWABLE, 5);
VALUE(ISSUER_STATE_NO_EXPIRY, 6);
VALUE(ISSUER_STATE_DENIED, 7);
VALUE(ISSUER_STATE_EXPIRED, 8);

SIGNED(issuer_reason);
VALUE(ISSUER_REASON_NONE, 0);
VALUE(ISSUER_REASON_NETWORK, 1);
VALUE(ISSUER_REASON_TIMEOUT, 2);
VALUE(ISSUER_REASON_TLS, 3);
VALUE(ISSUER_REASON_SEALED, 4);
VALUE(ISSUER_REASON_THROTTLED, 5);
VALUE(ISSUER_REASON_SERVER, 6);
VALUE(ISSUER_REASON_REFUSED, 7);
VALUE(ISSUER_REASON_MALFORMED, 8);
VALUE(ISSUER_REASON_CONFIG, 9);
VALUE(ISSUER_REASON_MAX_TTL, 10);
VALUE(ISSUER_REASON_NOT_RENEWABLE, 11);
VALUE(ISSUER_REASON_BATCH, 12);
VALUE(ISSUER_REASON_LIMITED_USES, 13);
VALUE(ISSUER_REASON_EXPIRED, 14);
VALUE(ISSUER_REASON_CREDENTIAL_CHANGED, 15);
VALUE(ISSUER_REASON_CREDENTIAL_UNREADABLE, 16);
VALUE(ISSUER_REASON_LOGGED_IN, 17);     /* 1.1 */
VALUE(ISSUER_REASON_LOGIN_REFUSED, 18); /* 1.1 */
VALUE(ISSUER_REASON_LOGIN_ENDS, 19);    /* 1.1 */

VALUE(ISSUER_F_NEVER_UNLOAD, 1);

SIZE(issuer_str, 16);
AT(issuer_str, ptr, 0);
AT(issuer_str, len, 8);

SIZE(issuer_error, 264);
AT(issuer_error, struct_size, 0);
AT(issuer_error, code, 4);
AT(issuer_error, message, 8);

SIZE(issuer_event, 80);
AT(issuer_event, struct_size, 0);
AT(issuer_event, kind, 4);
AT(issuer_event, result, 8);
AT(issuer_event, state, 12);
AT(issuer_event, reason, 16);
AT(issuer_event, attempt, 20);
AT(issuer_event, unix_ms, 24);
AT(issuer_event, ttl_ms, 32);
AT(issuer_event, expires_unix_ms, 40);
AT(issuer_event, next_unix_ms, 48);
AT(issuer_event, latency_us, 56);
AT(issuer_event, detail, 64);

SIZE(issuer_recorder, 24);
AT(issuer_recorder, struct_size, 0);
AT(issuer_recorder, reserved, 4);
AT(issuer_recorder, ctx, 8);
AT(issuer_recorder, record, 16);

SIZE(issuer_host, 32);
AT(issuer_host, struct_size, 0);
AT(issuer_host, abi_major, 4);
AT(issuer_host, abi_minor, 6);
AT(issuer_host, ctx, 8);
AT(issuer_host, log, 16);
AT(issuer_host, get_extension, 24);

SIZE(issuer_descriptor, 40);
AT(issuer_descriptor, struct_size, 0);
AT(issuer_descriptor, flags, 4);
AT(issuer_descriptor, id, 8);
AT(issuer_descriptor, name, 16);
AT(issuer_descriptor, version, 24);
AT(issuer_descriptor, config_schema, 32);

SIZE(issuer_lifecycle, 64);
AT(issuer_lifecycle, struct_size, 0);
AT(issuer_lifecycle, abi_major, 4);
AT(issuer_lifecycle, abi_minor, 6);
AT(issuer_lifecycle, descriptor, 8);
AT(issuer_lifecycle, create, 16);
AT(issuer_lifecycle, destroy, 24);
AT(issuer_lifecycle, start, 32);
AT(issuer_lifecycle, stop, 40);
AT(issuer_lifecycle, set_recorder, 48);
AT(issuer_lifecycle, get_extension, 56);

/* issuer.health/1 */
SIZE(issuer_health, 136); /* 1.0 ended at 96 */
AT(issuer_health, struct_size, 0);
AT(issuer_health, state, 4);
AT(issuer_health, reason, 8);
AT(issuer_health, consecutive_failures, 12);
AT(issuer_health, expires_unix_ms, 16);
AT(issuer_health, next_unix_ms, 24);
AT(issuer_health, last_success_unix_ms, 32);
AT(issuer_health, last_attempt_unix_ms, 40);
AT(issuer_health, success, 48);
AT(issuer_health, failure, 56);
AT(issuer_health, not_renewable, 64);
AT(issuer_health, last_latency_us, 72);
AT(issuer_health, lease_ms, 80);
AT(issuer_health, capped_at_unix_ms, 88);
AT(issuer_health, login_success, 96); /* 1.1 */
AT(issuer_health, login_failure, 104);
AT(issuer_health, next_login_unix_ms, 112);
AT(issuer_health, login_ends_unix_ms, 120);
AT(issuer_health, login_uses_left, 128);
SIZE(issuer_health_ext, 16);
AT(issuer_health_ext, struct_size, 0);
AT(issuer_health_ext, snapshot, 8);

/* issuer.control/1 */
SIZE(issuer_control_ext, 24);
AT(issuer_control_ext, struct_size, 0);
AT(issuer_control_ext, renew_now, 8);
AT(issuer_control_ext, credential_changed, 16);

/* issuer.handover/1 */
SIZE(issuer_handover_ext, 32); /* 1.0 ended at 24 */
AT(issuer_handover_ext, struct_size, 0);
AT(issuer_handover_ext, export_state, 8);
AT(issuer_handover_ext, import_state, 16);
AT(issuer_handover_ext, snapshot_state, 24); /* 1.1 */

/* issuer.credential/1 */
SIZE(issuer_credential_ext, 16);
AT(issuer_credential_ext, struct_size, 0);
AT(issuer_credential_ext, use, 8);

/* issuer.diagnose/1 */
SIZE(issuer_finding, 56);
AT(issuer_finding, struct_size, 0);
AT(issuer_finding, level, 4);
AT(issuer_finding, topic, 8);
AT(issuer_finding, text, 24);
AT(issuer_finding, advice, 40);
SIGNED(issuer_finding_level);
VALUE(ISSUER_FINDING_OK, 0);
VALUE(ISSUER_FINDING_NOTE, 1);
VALUE(ISSUER_FINDING_WARN, 2);
VALUE(ISSUER_FINDING_PROBLEM, 3);
SIZE(issuer_diagnose_ext, 24); /* 1.0 ended at 16 */
AT(issuer_diagnose_ext, struct_size, 0);
AT(issuer_diagnose_ext, diagnose, 8);
AT(issuer_diagnose_ext, diagnose_login, 16); /* 1.1 */

/* issuer.secrets/1 */
SIZE(issuer_secrets_ext, 24);
AT(issuer_secrets_ext, struct_size, 0);
AT(issuer_secrets_ext, lend, 8);
AT(issuer_secrets_ext, take, 16);
