#define _GNU_SOURCE

#include "shim.h"

#include "_cgo_export.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
	WHY = 256
};

static int refuse(void* handle, char* why, const char* text)
{
	snprintf(why, WHY, "%s", text);
	if (handle != NULL) {
		dlclose(handle);
	}
	return 0;
}

int issuer_go_open(const char* path, issuer_library* out, char* why)
{
	/* Some libraries block SIGPIPE in the thread that loads them: the mask is the host's business. */
	sigset_t mask;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (handle == NULL) {
		return refuse(NULL, why, dlerror());
	}
	const issuer_lifecycle* table = dlsym(handle, ISSUER_LIFECYCLE_SYMBOL);
	if (table == NULL) {
		return refuse(handle, why, "exports no " ISSUER_LIFECYCLE_SYMBOL);
	}
	if (table->abi_major != ISSUER_ABI_MAJOR || table->struct_size < sizeof *table) {
		return refuse(handle, why, "speaks another version of the contract");
	}
	if (table->descriptor == NULL || table->create == NULL || table->destroy == NULL || table->start == NULL ||
		table->stop == NULL || table->set_recorder == NULL || table->get_extension == NULL) {
		return refuse(handle, why, "has a gap in its table");
	}
	out->handle = handle;
	out->table = table;
	return 1;
}

int issuer_go_close(const char* path, issuer_library library)
{
	dlclose(library.handle);
	void* still = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	if (still != NULL) {
		dlclose(still);
	}
	return still == NULL;
}

static void onLog(void* ctx, issuer_log_level level, issuer_str component, issuer_str text)
{
	issuerGoLog((uintptr_t)ctx, level, component, text);
}

static const void* noExtension(void* ctx, const char* id)
{
	(void)ctx;
	(void)id;
	return NULL;
}

static void onEvent(void* ctx, const issuer_event* event)
{
	issuerGoRecord((uintptr_t)ctx, (issuer_event*)event);
}

issuer_host* issuer_go_host(uintptr_t instance)
{
	issuer_host* host = malloc(sizeof *host);
	if (host != NULL) {
		*host = (issuer_host){sizeof *host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, (void*)instance, onLog, noExtension};
	}
	return host;
}

issuer_rc issuer_go_create(
	const issuer_lifecycle* table, const issuer_host* host, issuer_str config, issuer_instance** out, issuer_error* err)
{
	return table->create(host, config, out, err);
}

issuer_rc issuer_go_destroy(const issuer_lifecycle* table, issuer_instance* self, issuer_error* err)
{
	return table->destroy(self, err);
}

issuer_rc issuer_go_start(const issuer_lifecycle* table, issuer_instance* self, issuer_error* err)
{
	return table->start(self, err);
}

issuer_rc issuer_go_stop(const issuer_lifecycle* table, issuer_instance* self, uint32_t timeout_ms, issuer_error* err)
{
	return table->stop(self, timeout_ms, err);
}

issuer_rc issuer_go_set_recorder(
	const issuer_lifecycle* table, issuer_instance* self, uintptr_t recorder, issuer_error* err)
{
	const issuer_recorder one = {sizeof one, 0, (void*)recorder, onEvent};
	return table->set_recorder(self, recorder != 0 ? &one : NULL, err);
}

struct text
{
	char* bytes;
	size_t length;
};

static void take(void* ctx, issuer_str blob)
{
	struct text* text = ctx;
	text->bytes = malloc(blob.len + 1);
	if (text->bytes != NULL) {
		memcpy(text->bytes, blob.ptr, blob.len);
		text->length = blob.len;
	}
}

issuer_rc issuer_go_export(
	const issuer_lifecycle* table, issuer_instance* self, char** text, size_t* length, issuer_error* err)
{
	const issuer_handover_ext* handover = table->get_extension(ISSUER_EXT_HANDOVER);
	if (handover == NULL) {
		return ISSUER_E_UNSUPPORTED;
	}
	struct text taken = {NULL, 0};
	const issuer_rc code = handover->export_state(self, take, &taken, err);
	*text = taken.bytes;
	*length = taken.length;
	return code == ISSUER_OK && taken.bytes == NULL ? ISSUER_E_NOMEM : code;
}

issuer_rc issuer_go_import(const issuer_lifecycle* table, issuer_instance* self, issuer_str text, issuer_error* err)
{
	const issuer_handover_ext* handover = table->get_extension(ISSUER_EXT_HANDOVER);
	return handover != NULL ? handover->import_state(self, text, err) : ISSUER_E_UNSUPPORTED;
}

struct taker
{
	const issuer_secrets_ext* secrets;
	issuer_instance* self;
};

static void takeSecrets(void* ctx, issuer_str secrets)
{
	const struct taker* taker = ctx;
	taker->secrets->take(taker->self, secrets, NULL);
}

void issuer_go_lend(
	const issuer_lifecycle* table, issuer_instance* from, const issuer_lifecycle* toTable, issuer_instance* to)
{
	const issuer_secrets_ext* lender = table->get_extension(ISSUER_EXT_SECRETS);
	struct taker taker = {toTable->get_extension(ISSUER_EXT_SECRETS), to};
	const int same = strcmp(table->descriptor->id, toTable->descriptor->id) == 0;
	if (lender != NULL && taker.secrets != NULL && same) {
		lender->lend(from, takeSecrets, &taker, NULL);
	}
}
