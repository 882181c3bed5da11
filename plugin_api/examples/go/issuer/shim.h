/* Calls through the contract's tables, which cgo cannot make itself, and callbacks that end in exported Go functions.
 */
#pragma once

#include <issuer/handover.h>
#include <issuer/lifecycle.h>
#include <issuer/secrets.h>

/* A library that stays loaded, and its table. Fills `why` (of 256 bytes) and returns NULL when it cannot be driven. */
typedef struct issuer_library
{
	void* handle;
	const issuer_lifecycle* table;
} issuer_library;

int issuer_go_open(const char* path, issuer_library* out, char* why);
/* Returns 1 when the library is gone, 0 when something keeps it mapped. */
int issuer_go_close(const char* path, issuer_library library);

/* `instance` names the Go instance in the log callback. The struct is the caller's to free after destroy. */
issuer_host* issuer_go_host(uintptr_t instance);

issuer_rc issuer_go_create(const issuer_lifecycle* table, const issuer_host* host, issuer_str config,
	issuer_instance** out, issuer_error* err);
issuer_rc issuer_go_destroy(const issuer_lifecycle* table, issuer_instance* self, issuer_error* err);
issuer_rc issuer_go_start(const issuer_lifecycle* table, issuer_instance* self, issuer_error* err);
issuer_rc issuer_go_stop(const issuer_lifecycle* table, issuer_instance* self, uint32_t timeout_ms, issuer_error* err);
/* `recorder` names the Go recorder; 0 records nothing. */
issuer_rc issuer_go_set_recorder(
	const issuer_lifecycle* table, issuer_instance* self, uintptr_t recorder, issuer_error* err);

/* ISSUER_E_UNSUPPORTED when the plugin hands nothing over. `text` is allocated with malloc, for the caller. */
issuer_rc issuer_go_export(
	const issuer_lifecycle* table, issuer_instance* self, char** text, size_t* length, issuer_error* err);
issuer_rc issuer_go_import(const issuer_lifecycle* table, issuer_instance* self, issuer_str text, issuer_error* err);

/* Lends what `to` cannot read again, if both plugins offer it and are of one descriptor id. Where nothing is lent or
 * taken, `to` reads its own sources. Both instances are stopped. */
void issuer_go_lend(
	const issuer_lifecycle* table, issuer_instance* from, const issuer_lifecycle* toTable, issuer_instance* to);
