/*
 * A small but honest plugin: it pretends to renew a lease of one hour every 50 ms, and keeps every promise of the
 * contract. One lock does most of it: it is held while the recorder is called, so to own it is to know that no callback
 * runs; and being of the error-checking kind it tells a call from inside the recorder from all others.
 *
 *     cc -std=c11 -shared -fPIC -pthread minimal_plugin.c -o minimal_plugin.so \
 *         $(pkg-config --cflags issuer-plugin-api) \
 *         -Wl,--version-script=$(pkg-config --variable=version_script issuer-plugin-api)
 */
#define _POSIX_C_SOURCE 200809L

#include "issuer/lifecycle.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum
{
	RENEW_EVERY_MS = 50,
	LEASE_MS = 3600 * 1000
};

struct issuer_instance
{
	pthread_mutex_t mutex;
	pthread_cond_t wakeUp;
	pthread_t worker;
	issuer_recorder recorder;
	atomic_bool running;  /* there is a worker to join */
	atomic_bool stopping; /* both also without the lock: a stop that cannot get it still stops */
};

static issuer_rc fail(issuer_error* err, issuer_rc code, const char* message)
{
	if (err != NULL) {
		err->code = code;
		snprintf(err->message, sizeof err->message, "%s", message);
	}
	return code;
}

static issuer_rc reentrant(issuer_error* err)
{
	return fail(err, ISSUER_E_REENTRANT, "called from inside this instance's recorder");
}

static struct timespec inMs(int64_t ms)
{
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	const int64_t ns = time.tv_nsec + ms % 1000 * 1000000;
	time.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
	time.tv_nsec = (long)(ns % 1000000000);
	return time;
}

static void record(const issuer_recorder* recorder, issuer_event_kind kind, issuer_result result, const char* detail)
{
	const struct timespec time = inMs(0);
	const int64_t now = (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
	const issuer_event event = {.struct_size = sizeof event,
		.kind = kind,
		.result = result,
		.state = ISSUER_STATE_ACTIVE,
		.attempt = kind == ISSUER_EVENT_RENEWAL,
		.unix_ms = now,
		.ttl_ms = LEASE_MS,
		.expires_unix_ms = now + LEASE_MS,
		.next_unix_ms = now + RENEW_EVERY_MS,
		.detail = {detail, strlen(detail)}};
	if (recorder->record != NULL) {
		recorder->record(recorder->ctx, &event);
	}
}

static void* work(void* argument)
{
	issuer_instance* self = argument;
	pthread_mutex_lock(&self->mutex);
	record(&self->recorder, ISSUER_EVENT_STATE, ISSUER_RESULT_NONE, "found a lease of one hour");
	while (!self->stopping) {
		const struct timespec next = inMs(RENEW_EVERY_MS);
		while (!self->stopping && pthread_cond_timedwait(&self->wakeUp, &self->mutex, &next) != ETIMEDOUT) {
		}
		if (!self->stopping) {
			record(&self->recorder, ISSUER_EVENT_RENEWAL, ISSUER_RESULT_SUCCESS, "pretended to renew");
		}
	}
	pthread_mutex_unlock(&self->mutex);
	return NULL;
}

static issuer_rc create(const issuer_host* host, issuer_str config, issuer_instance** out, issuer_error* err)
{
	*out = NULL;
	if (config.len == 0 || config.ptr[0] != '{') {
		return fail(err, ISSUER_E_INVALID, "the configuration is not a JSON object");
	}
	issuer_instance* self = calloc(1, sizeof *self);
	if (self == NULL) {
		return fail(err, ISSUER_E_NOMEM, "out of memory");
	}
	pthread_mutexattr_t errorChecking;
	pthread_mutexattr_init(&errorChecking);
	pthread_mutexattr_settype(&errorChecking, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&self->mutex, &errorChecking);
	pthread_mutexattr_destroy(&errorChecking);
	pthread_cond_init(&self->wakeUp, NULL);
	host->log(host->ctx, ISSUER_LOG_DEBUG, (issuer_str){"config", 6}, (issuer_str){"nothing to configure", 20});
	*out = self;
	return ISSUER_OK;
}

/* 0 with the lock held, EDEADLK from inside the recorder, ETIMEDOUT while the recorder is called. */
static int enter(issuer_instance* self, uint32_t timeoutMs)
{
	const struct timespec deadline = inMs(timeoutMs);
	return pthread_mutex_timedlock(&self->mutex, &deadline);
}

static issuer_rc destroy(issuer_instance* self, issuer_error* err)
{
	const int entered = enter(self, 0);
	if (entered == 0) {
		pthread_mutex_unlock(&self->mutex);
	}
	if (entered == EDEADLK) {
		return reentrant(err);
	}
	if (self->running) {
		return fail(err, ISSUER_E_BUSY, "still running: stop it first");
	}
	pthread_mutex_destroy(&self->mutex);
	pthread_cond_destroy(&self->wakeUp);
	free(self);
	return ISSUER_OK;
}

static issuer_rc start(issuer_instance* self, issuer_error* err)
{
	const int entered = enter(self, 0);
	if (entered == EDEADLK) {
		return reentrant(err);
	}
	if (entered == 0 && !self->running) {
		sigset_t all, before; /* signals are the host's business: a thread inherits what is blocked */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		self->running = pthread_create(&self->worker, NULL, work, self) == 0;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (entered == 0) {
		pthread_mutex_unlock(&self->mutex);
	}
	if (self->stopping) {
		return fail(err, ISSUER_E_STATE, "still stopping: call stop again");
	}
	return self->running ? ISSUER_OK : fail(err, ISSUER_E_NOMEM, "the system gives no thread");
}

static issuer_rc stop(issuer_instance* self, uint32_t timeoutMs, issuer_error* err)
{
	const int entered = enter(self, timeoutMs);
	if (entered == EDEADLK) {
		return reentrant(err);
	}
	self->stopping = self->running;
	if (entered == ETIMEDOUT) {
		return fail(err, ISSUER_E_TIMEOUT, "the recorder has not returned yet: call stop again");
	}
	pthread_cond_signal(&self->wakeUp);
	pthread_mutex_unlock(&self->mutex);
	if (self->running) {
		pthread_join(self->worker, NULL); /* at once: from here on it makes no callback */
		self->running = self->stopping = false;
	}
	return ISSUER_OK;
}

static issuer_rc setRecorder(issuer_instance* self, const issuer_recorder* recorder, issuer_error* err)
{
	if (pthread_mutex_lock(&self->mutex) == EDEADLK) {
		return reentrant(err);
	}
	self->recorder = recorder != NULL ? *recorder : (issuer_recorder){0};
	pthread_mutex_unlock(&self->mutex);
	return ISSUER_OK;
}

static const void* getExtension(const char* id)
{
	(void)id; /* health.h is a good first one to add */
	return NULL;
}

static const issuer_descriptor descriptor = {
	sizeof descriptor, 0, "io.issuer.example.minimal", "Minimal example", "1.0.0", "{\"type\": \"object\"}"};

ISSUER_EXPORT const issuer_lifecycle issuer_lifecycle_v1 = {sizeof issuer_lifecycle_v1, ISSUER_ABI_MAJOR,
	ISSUER_ABI_MINOR, &descriptor, create, destroy, start, stop, setRecorder, getExtension};
