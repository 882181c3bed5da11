/*
 * issuer_lifecycle: the contract between a certificate manager (the *host*) and a plugin that keeps an issuer's
 * credential alive. The host loads the plugin at run time; neither is rebuilt when the other changes.
 *
 * A plugin exports one *data* object, issuer_lifecycle_v1. The host looks it up by name, checks its version and size
 * before any code of the plugin runs, and drives any number of *instances* through the functions in it:
 *
 *     dlopen → issuer_lifecycle_v1 → create → set_recorder → start … events … → stop → destroy → dlclose
 *
 * States of an instance (not to be confused with issuer_state, the state of its credential):
 *
 *                                                      start         stop                set_recorder  destroy
 *   created, stopped, or ended by itself               → running     OK, nothing to do   OK            OK → gone
 *   starting (start waits for its first look-up)       E_STATE       OK → stopped, and   OK            E_BUSY
 *                                                                    start: E_CANCELLED
 *   running, also when the credential has ended        OK, no effect OK → stopped, or    OK, barrier   E_BUSY
 *                                                                    E_TIMEOUT → stopping
 *   stopping (a stop has timed out)                    E_STATE       call again          OK            E_BUSY
 *   from inside record or log of the same instance     E_REENTRANT   E_REENTRANT         E_REENTRANT   E_REENTRANT
 *
 * Thread tags, one at the end of each function's comment:
 *   [control-thread]     any thread, but the host never makes two such calls for one instance at the same time
 *   [worker-thread]      a thread that the plugin owns
 *   [thread-safe]        any thread, at any time, concurrently with everything
 *   [& !running]         and only while the instance is not running
 *   [blocks <= timeout]  returns when the time given has passed, at the latest
 *
 * Ownership: strings, structs and tables are borrowed for the call that carries them; code that needs them longer
 * copies. Exceptions are documented at their declaration. Nothing allocated on one side is freed on the other.
 *
 * Growth: every struct begins with its size as its writer knew it, and grows only at its end. Before a reader touches
 * a field that came after 1.0 it asks ISSUER_HAS. Optional things are extensions, found by a string id. Unknown codes
 * are not errors: an unknown event kind is ignored, an unknown state, reason or result is shown as its number.
 *
 * CONTRACT.md tells the same for people, with the order of a hot swap and the naming law of extensions.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A plugin with another major version is not loadable; a higher minor only means that tables have grown. */
#define ISSUER_ABI_MAJOR 1u
#define ISSUER_ABI_MINOR 1u

/* The symbol that a host asks the dynamic loader for. A plugin that speaks two major versions exports two objects. */
#define ISSUER_LIFECYCLE_SYMBOL "issuer_lifecycle_v1"

/* Is `field` within what the writer of *ptr knew? Ask before touching any field added after 1.0, in both directions. */
#define ISSUER_HAS(ptr, type, field) ((ptr)->struct_size >= offsetof(type, field) + sizeof((ptr)->field))

/* The one symbol of a plugin is visible, a version script hides everything else. */
#if defined(__GNUC__)
#define ISSUER_EXPORT __attribute__((visibility("default")))
#else
#define ISSUER_EXPORT
#endif

/*
 * Nothing is ever thrown across the contract.
 * Rationale: since C++17 noexcept is part of a function's type, so there the compiler refuses a throwing callback.
 */
#if defined(__cplusplus) && __cplusplus >= 201703L
#define ISSUER_NOEXCEPT noexcept
#else
#define ISSUER_NOEXCEPT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Codes are int32_t with the values in an anonymous enum.
 * Rationale: the width of a C enum is the compiler's choice, and a value it does not know is undefined in C++.
 */
typedef int32_t issuer_rc;
enum
{
	ISSUER_OK = 0,
	ISSUER_E_INVALID = 1,     /* an argument or the configuration is wrong; the message names it */
	ISSUER_E_STATE = 2,       /* not allowed in this state */
	ISSUER_E_BUSY = 3,        /* destroy while running: nothing was changed */
	ISSUER_E_TIMEOUT = 4,     /* stop ran out of time: still stopping, call again */
	ISSUER_E_REENTRANT = 5,   /* called from inside a callback of the same instance */
	ISSUER_E_UNSUPPORTED = 6, /* this plugin cannot do that */
	ISSUER_E_NOMEM = 7,       /* out of memory; nothing was changed */
	ISSUER_E_INTERNAL = 8,    /* a defect of the plugin, caught at the border */
	ISSUER_E_UNAVAILABLE = 9, /* the first look-up did not succeed; start may be tried again */
	ISSUER_E_CANCELLED = 10   /* stop was called while start was waiting */
};

typedef int32_t issuer_log_level;
enum
{
	ISSUER_LOG_DEBUG = 0,
	ISSUER_LOG_INFO = 1,
	ISSUER_LOG_WARN = 2,
	ISSUER_LOG_ERROR = 3
};

/* UTF-8, not terminated. A length of 0 is the empty string, whatever ptr is. Borrowed for the call that carries it. */
typedef struct issuer_str
{
	const char* ptr;
	size_t len;
} issuer_str;

/*
 * The reason for which a function failed. The caller owns it, sets struct_size and reads it only when the function did
 * not return ISSUER_OK; `code` is then what it returned, and `message` is one line of UTF-8 for people, terminated,
 * cut at a character if it must be, without secrets. Any `err` may be NULL.
 */
typedef struct issuer_error
{
	uint32_t struct_size;
	issuer_rc code;
	char message[256];
} issuer_error;

typedef int32_t issuer_event_kind;
enum
{
	ISSUER_EVENT_RENEWAL = 1, /* one renewal attempt ended; `result` is set */
	ISSUER_EVENT_STATE = 2,   /* `state` changed */

	/*
	 * 1.1. One login ended, `result` is set: a success is told once its new credential is proven and in use. With
	 * ISSUER_RESULT_NONE nothing was sent: `reason` says what the next login will meet. ttl_ms and expires_unix_ms
	 * are those of the credential in use, next_unix_ms is the next planned login.
	 */
	ISSUER_EVENT_LOGIN = 3
};

typedef int32_t issuer_result;
enum
{
	ISSUER_RESULT_NONE = 0,
	ISSUER_RESULT_SUCCESS = 1,
	ISSUER_RESULT_FAILURE = 2,
	ISSUER_RESULT_NOT_RENEWABLE = 3
};

/*
 * The state of an instance's credential. Where a login brings the next one (1.1), a credential that has met its max TTL
 * is ISSUER_STATE_ACTIVE for as long as that login is planned and none has failed, and ISSUER_STATE_EXPIRED with a
 * next request means that the instance is logging in.
 */
typedef int32_t issuer_state;
enum
{
	ISSUER_STATE_STOPPED = 0,
	ISSUER_STATE_STARTING = 1,      /* no look-up has succeeded yet */
	ISSUER_STATE_ACTIVE = 2,        /* alive, next renewal planned */
	ISSUER_STATE_RETRYING = 3,      /* alive, the last attempt failed */
	ISSUER_STATE_CAPPED = 4,        /* alive, cannot be extended past expires_unix_ms (max TTL) */
	ISSUER_STATE_NOT_RENEWABLE = 5, /* alive until expires_unix_ms, was never renewable (or batch, limited uses) */
	ISSUER_STATE_NO_EXPIRY = 6,     /* lives for ever (root token): nothing to do */
	ISSUER_STATE_DENIED = 7,        /* alive, but its policy does not allow renewal */
	ISSUER_STATE_EXPIRED = 8        /* dead, revoked or expired: replace the credential */
};

/* The reason for the result of an attempt, or for the state of the credential. */
typedef int32_t issuer_reason;
enum
{
	ISSUER_REASON_NONE = 0,
	ISSUER_REASON_NETWORK = 1,                /* no connection: refused, unreachable, name not found, reset */
	ISSUER_REASON_TIMEOUT = 2,                /* the request's deadline passed */
	ISSUER_REASON_TLS = 3,                    /* the peer did not prove its identity, or refused our certificate */
	ISSUER_REASON_SEALED = 4,                 /* the server is sealed, a standby, or not initialised */
	ISSUER_REASON_THROTTLED = 5,              /* the server asked for patience */
	ISSUER_REASON_SERVER = 6,                 /* the server failed */
	ISSUER_REASON_REFUSED = 7,                /* the server understood and said no */
	ISSUER_REASON_MALFORMED = 8,              /* an answer that is not of this protocol, or incomplete */
	ISSUER_REASON_CONFIG = 9,                 /* only a change of configuration helps: namespace, address, policy */
	ISSUER_REASON_MAX_TTL = 10,               /* the credential has reached the end that no renewal can move */
	ISSUER_REASON_NOT_RENEWABLE = 11,         /* issued as not renewable */
	ISSUER_REASON_BATCH = 12,                 /* a batch token: never renewable */
	ISSUER_REASON_LIMITED_USES = 13,          /* every request costs one of the credential's uses */
	ISSUER_REASON_EXPIRED = 14,               /* the server does not know the credential any more */
	ISSUER_REASON_CREDENTIAL_CHANGED = 15,    /* the source holds a new credential, in use from now on */
	ISSUER_REASON_CREDENTIAL_UNREADABLE = 16, /* the source cannot be read, or holds no credential */
	/* 1.1 */
	ISSUER_REASON_LOGGED_IN = 17,     /* a login has brought a new credential, in use from now on */
	ISSUER_REASON_LOGIN_REFUSED = 18, /* the login material is not accepted: replace it */
	ISSUER_REASON_LOGIN_ENDS = 19     /* the login material ends before the next planned login */
};

/* An event, its time, and the next planned step. Times are wall clock in ms since the Unix epoch. */
typedef struct issuer_event
{
	uint32_t struct_size;
	issuer_event_kind kind; /* unknown kinds: ignore */
	issuer_result result;   /* ISSUER_RESULT_NONE unless kind is ISSUER_EVENT_RENEWAL or ISSUER_EVENT_LOGIN */
	issuer_state state;     /* after this event */
	issuer_reason reason;
	uint32_t attempt;        /* 1 = first try of this renewal or login; 0 where it does not apply */
	int64_t unix_ms;         /* when it happened */
	int64_t ttl_ms;          /* remaining life; -1 unknown or none */
	int64_t expires_unix_ms; /* -1 unknown or none */
	int64_t next_unix_ms;    /* next planned request; -1 none */
	uint64_t latency_us;     /* of the attempt; 0 where it does not apply */
	issuer_str detail;       /* one line for people; never a token, an accessor, a secret id or a URL's query */
} issuer_event;

/* Receives events. The struct is borrowed for set_recorder; `ctx` must live until the recorder has been replaced. */
typedef struct issuer_recorder
{
	uint32_t struct_size;
	uint32_t reserved; /* 0 */
	void* ctx;         /* the host's, handed back unchanged */

	/*
	 * An event of the instance. Calls for one instance never overlap and come in the order of the events; `event` and
	 * its strings are borrowed for the call. Must not block: a recorder that does delays this instance's renewals,
	 * and a stop meanwhile answers ISSUER_E_TIMEOUT.
	 * [worker-thread]
	 */
	void (*record)(void* ctx, const issuer_event* event) ISSUER_NOEXCEPT;
} issuer_recorder;

/* The host's functions for an instance. Must stay valid until destroy() has returned ISSUER_OK. */
typedef struct issuer_host
{
	uint32_t struct_size;
	uint16_t abi_major;
	uint16_t abi_minor;
	void* ctx; /* the host's, handed back unchanged */

	/*
	 * One line for people, without a line end and without secrets. `component` is a lower-case word that says what it
	 * is about. The component "events" repeats in words what recorded events say, and a host that shows events
	 * itself may leave its lines out; all others ("config", "credential", "tls", …) carry what no event says.
	 * Must not block.
	 * [thread-safe]
	 */
	void (*log)(void* ctx, issuer_log_level level, issuer_str component, issuer_str text) ISSUER_NOEXCEPT;

	/*
	 * The host's table for an extension id such as "issuer.example/1"; NULL for an unknown one. The table is
	 * constant and lives as long as this struct.
	 * [thread-safe]
	 */
	const void* (*get_extension)(void* ctx, const char* id)ISSUER_NOEXCEPT;
} issuer_host;

/* flags of a descriptor; unknown bits: ignore */
enum
{
	ISSUER_F_NEVER_UNLOAD = 1u << 0 /* the library cannot be unloaded; the host keeps it mapped after the last use */
};

/* The plugin's description of itself: constant data, readable without running anything. Strings are UTF-8, terminated,
 * never freed. */
typedef struct issuer_descriptor
{
	uint32_t struct_size;
	uint32_t flags;            /* ISSUER_F_… */
	const char* id;            /* reverse-URI, e.g. "io.issuer.vault"; names the plugin across its versions */
	const char* name;          /* for people */
	const char* version;       /* of the plugin, for people and for paths */
	const char* config_schema; /* JSON Schema (draft 2020-12) of create's configuration, as text; or NULL */
} issuer_descriptor;

typedef struct issuer_instance issuer_instance; /* opaque */

/*
 * The table. No slot is NULL. Instances never see each other, and any number of them may live at a time.
 *
 * Of the process the plugin asks little: after fork only exec is allowed; its sockets are close-on-exec, its threads
 * block all signals, it installs no signal handler and changes no process-wide state. A host that exits without
 * stopping its instances still exits cleanly.
 */
typedef struct issuer_lifecycle
{
	uint32_t struct_size;
	uint16_t abi_major;
	uint16_t abi_minor;
	const issuer_descriptor* descriptor;

	/*
	 * Makes an instance from a JSON text. Parses and validates only: opens nothing, starts no thread. May call
	 * host->log. `host` must outlive the instance, `config_json` is borrowed.
	 * On success *out is the instance, the host's until destroy; on any error *out is NULL.
	 * Errors: ISSUER_E_INVALID with the path of the offending key in the message.
	 * [thread-safe]
	 */
	issuer_rc (*create)(
		const issuer_host* host, issuer_str config_json, issuer_instance** out, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * Ends an instance that does not run. On ISSUER_OK `self` is gone and neither the host's struct nor the recorder
	 * is ever touched again; on ISSUER_E_BUSY nothing was changed: stop first.
	 * [control-thread & !running]
	 */
	issuer_rc (*destroy)(issuer_instance* self, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * Begins to keep the credential alive. May wait for the first look-up, as the configuration says; meanwhile stop
	 * and "issuer.health/1" may be called from another thread. No effect on a running instance; works again after
	 * stop and after the credential has ended, any number of times.
	 * Errors: ISSUER_E_UNAVAILABLE (the first look-up did not succeed; not running, start may be tried again),
	 * ISSUER_E_CANCELLED (stopped meanwhile), ISSUER_E_STATE (a start waits or a stop has timed out).
	 * [control-thread]
	 */
	issuer_rc (*start)(issuer_instance* self, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * Ends all work of the instance and waits for it, up to timeout_ms (kept to within 50 ms; 0 polls).
	 * ISSUER_OK means: no code runs on behalf of this instance, none will, no callback is running or will be made.
	 * When the last running instance of a library has stopped, no thread of the library exists.
	 * ISSUER_E_TIMEOUT: still stopping; call again. A stop is never recorded as a failure, and nothing is wrong with
	 * stopping an instance that does not run.
	 * [control-thread, or any thread while start waits] [blocks <= timeout]
	 */
	issuer_rc (*stop)(issuer_instance* self, uint32_t timeout_ms, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * Replaces the recorder; the struct is copied. NULL records nothing, as before the first call. Allowed in every
	 * state, also while running. It is a barrier: on return the previous recorder is not running and is never called
	 * again, so its ctx may be freed. It therefore waits for a record that is being made.
	 * [control-thread]
	 */
	issuer_rc (*set_recorder)(
		issuer_instance* self, const issuer_recorder* recorder, issuer_error* err) ISSUER_NOEXCEPT;

	/*
	 * The plugin's table for an extension id such as "issuer.health/1"; NULL for an unknown one. Constant data that
	 * lives as long as the library is loaded.
	 * [thread-safe]
	 */
	const void* (*get_extension)(const char* id)ISSUER_NOEXCEPT;
} issuer_lifecycle; /* 1.0 ends here: 64 bytes on LP64 */

/*
 * The object that a plugin defines and a host finds with dlsym(ISSUER_LIFECYCLE_SYMBOL).
 * Rationale: data, not a function, so that a host can check it before it runs anything; and declared extern here,
 * because a const object of C++ would otherwise stay inside its file.
 */
extern ISSUER_EXPORT const issuer_lifecycle issuer_lifecycle_v1;

#ifdef __cplusplus
}
#endif
