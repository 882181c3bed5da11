/*
 * A small host in plain C: loads a plugin, runs one instance, prints what happens, and ends after so many events or on
 * Ctrl-C.
 *
 *     cc -std=c11 -pthread minimal_host.c -ldl -o minimal_host $(pkg-config --cflags issuer-plugin-api)
 *     ./minimal_host /abs/path/plugin.so '{"address": "https://…", …}' 10
 */
#define _POSIX_C_SOURCE 200809L

#include "issuer/health.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* const results[] = {"-", "success", "failure", "not_renewable"};
static const char* const states[] = {
	"stopped", "starting", "active", "retrying", "capped", "not_renewable", "no_expiry", "denied", "expired"};

static sem_t news; /* one for each event, and one for Ctrl-C */
static volatile sig_atomic_t interrupted;

static void onSignal(int number)
{
	interrupted = number;
	sem_post(&news);
}

/* Codes grow: one that this host does not know is no error. */
static const char* name(const char* const* names, size_t count, int32_t code)
{
	return code >= 0 && (size_t)code < count ? names[code] : "unknown";
}
#define NAME(names, code) name(names, sizeof names / sizeof *names, code)

/* Comes on a thread of the plugin: print, leave a note, return. */
static void onEvent(void* ctx, const issuer_event* event)
{
	(void)ctx;
	if (event->kind != ISSUER_EVENT_RENEWAL && event->kind != ISSUER_EVENT_STATE) {
		return; /* of a later version */
	}
	printf("%s state=%s result=%s reason=%" PRId32 " ttl_ms=%" PRId64 " %.*s\n",
		event->kind == ISSUER_EVENT_RENEWAL ? "renewal" : "state", NAME(states, event->state),
		NAME(results, event->result), event->reason, event->ttl_ms, (int)event->detail.len, event->detail.ptr);
	sem_post(&news);
}

static void onLog(void* ctx, issuer_log_level level, issuer_str component, issuer_str text)
{
	(void)ctx;
	const int repeatsEvents = component.len == 6 && memcmp(component.ptr, "events", 6) == 0;
	if (level >= ISSUER_LOG_INFO && !repeatsEvents) {
		fprintf(stderr, "%.*s: %.*s\n", (int)component.len, component.ptr, (int)text.len, text.ptr);
	}
}

static const void* noExtension(void* ctx, const char* id)
{
	(void)ctx;
	(void)id;
	return NULL;
}

/* The table, when it is one this host can drive; otherwise says why not. */
static const issuer_lifecycle* find(void* library, const char* path)
{
	const issuer_lifecycle* table = dlsym(library, ISSUER_LIFECYCLE_SYMBOL);
	const char* why = NULL;
	if (table == NULL) {
		why = "exports no " ISSUER_LIFECYCLE_SYMBOL;
	}
	else if (table->abi_major != ISSUER_ABI_MAJOR || table->struct_size < sizeof *table) {
		why = "speaks another version of the contract";
	}
	else if (table->descriptor == NULL || !table->create || !table->destroy || !table->start || !table->stop ||
			 !table->set_recorder || !table->get_extension) {
		why = "has a gap in its table";
	}
	if (why != NULL) {
		fprintf(stderr, "%s %s\n", path, why);
		return NULL;
	}
	return table;
}

static void printHealth(const issuer_lifecycle* plugin, issuer_instance* instance)
{
	const issuer_health_ext* health = plugin->get_extension(ISSUER_EXT_HEALTH);
	issuer_health now = {.struct_size = sizeof now};
	if (health != NULL && health->snapshot(instance, &now, NULL) == ISSUER_OK) {
		printf("health state=%s success=%" PRIu64 " failure=%" PRIu64 " not_renewable=%" PRIu64 "\n",
			NAME(states, now.state), now.success, now.failure, now.not_renewable);
	}
}

static int run(const issuer_lifecycle* plugin, const char* config, long events)
{
	const issuer_host host = {sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, NULL, onLog, noExtension};
	const issuer_recorder recorder = {sizeof recorder, 0, NULL, onEvent};
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	issuer_instance* instance = NULL;
	printf("plugin %s %s\n", plugin->descriptor->id, plugin->descriptor->version);
	if (plugin->create(&host, (issuer_str){config, strlen(config)}, &instance, &error) != ISSUER_OK) {
		fprintf(stderr, "error %" PRId32 ": %s\n", error.code, error.message);
		return EXIT_FAILURE;
	}
	issuer_rc code = plugin->set_recorder(instance, &recorder, &error);
	if (code == ISSUER_OK && (code = plugin->start(instance, &error)) == ISSUER_OK) {
		for (long seen = 0; !interrupted && (events == 0 || seen < events);) {
			seen += sem_wait(&news) == 0;
		}
		printHealth(plugin, instance);
		while ((code = plugin->stop(instance, 5000, &error)) == ISSUER_E_TIMEOUT) {
			fprintf(stderr, "stop: %s\n", error.message);
		}
	}
	if (code != ISSUER_OK) {
		fprintf(stderr, "error %" PRId32 ": %s\n", code, error.message);
	}
	plugin->destroy(instance, NULL);
	return code == ISSUER_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char** argv)
{
	if (argc < 3 || argc > 4 || argv[1][0] != '/') {
		fprintf(stderr, "usage: %s /PATH/TO/PLUGIN.so CONFIG_JSON [EVENTS]\n", argv[0]);
		return 2;
	}
	sem_init(&news, 0, 0);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = onSignal}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = onSignal}, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);

	void* library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return EXIT_FAILURE;
	}
	const issuer_lifecycle* plugin = find(library, argv[1]);
	const int code = plugin == NULL ? EXIT_FAILURE : run(plugin, argv[2], argc == 4 ? strtol(argv[3], NULL, 10) : 0);
	dlclose(library);
	return code;
}
