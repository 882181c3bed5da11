/*
 * A small host in plain C: loads a plugin, runs one instance, prints what happens, and ends after so many events or on
 * Ctrl-C. With a second build it swaps to that one and back after each renewal.
 *
 *     cc -std=c11 -pthread minimal_host.c -ldl -o minimal_host $(pkg-config --cflags issuer-plugin-api)
 *     ./minimal_host /abs/path/plugin.so '{"address": "https://…", …}' 10 [/abs/path/other_plugin.so]
 */
#define _POSIX_C_SOURCE 200809L

#include "issuer/handover.h"
#include "issuer/health.h"
#include "issuer/secrets.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char* const results[] = {"-", "success", "failure", "not_renewable"};
static const char* const states[] = {
	"stopped", "starting", "active", "retrying", "capped", "not_renewable", "no_expiry", "denied", "expired"};

static sem_t news; /* one for each event, and one for Ctrl-C */
static volatile sig_atomic_t interrupted;
static atomic_long renewals;

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
	static const char* const kinds[] = {NULL, "renewal", "state", "login"};
	if (event->kind < ISSUER_EVENT_RENEWAL || event->kind > ISSUER_EVENT_LOGIN) {
		return; /* of a later version */
	}
	printf("%s state=%s result=%s reason=%" PRId32 " ttl_ms=%" PRId64 " %.*s\n", kinds[event->kind],
		NAME(states, event->state), NAME(results, event->result), event->reason, event->ttl_ms, (int)event->detail.len,
		event->detail.ptr);
	renewals += event->kind == ISSUER_EVENT_RENEWAL;
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

static const issuer_host host = {sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, NULL, onLog, noExtension};
static const issuer_recorder recorder = {sizeof recorder, 0, NULL, onEvent};

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

/* The plugin in a library that stays loaded until the program ends; NULL when there is none, and says why. */
static const issuer_lifecycle* load(const char* path)
{
	void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return NULL;
	}
	return find(library, path);
}

struct issuer
{
	const issuer_lifecycle* plugin;
	issuer_instance* self;
};

static issuer_rc create(struct issuer* out, const issuer_lifecycle* plugin, const char* config, issuer_error* error)
{
	out->plugin = plugin;
	return plugin->create(&host, (issuer_str){config, strlen(config)}, &out->self, error);
}

static issuer_rc start(const struct issuer* issuer, issuer_error* error)
{
	const issuer_rc code = issuer->plugin->set_recorder(issuer->self, &recorder, error);
	return code == ISSUER_OK ? issuer->plugin->start(issuer->self, error) : code;
}

static issuer_rc stop(const struct issuer* issuer, issuer_error* error)
{
	issuer_rc code = ISSUER_OK;
	while ((code = issuer->plugin->stop(issuer->self, 5000, error)) == ISSUER_E_TIMEOUT) {
		fprintf(stderr, "stop: %s\n", error->message);
	}
	return code;
}

/* Gives the old instance's state to the new one. Refused, the new one begins with a look-up. */
static void takeOver(void* ctx, issuer_str state)
{
	const struct issuer* next = ctx;
	const issuer_handover_ext* handover = next->plugin->get_extension(ISSUER_EXT_HANDOVER);
	if (handover != NULL) {
		handover->import_state(next->self, state, NULL);
	}
}

/* Has the other instance take what is lent, while it is lent: no copy is made here. */
static void takeSecrets(void* ctx, issuer_str secrets)
{
	const struct issuer* other = ctx;
	const issuer_secrets_ext* extension = other->plugin->get_extension(ISSUER_EXT_SECRETS);
	extension->take(other->self, secrets, NULL);
}

/* Lends what the other instance cannot read again. Where nothing is lent or taken, it reads its own sources. */
static void lend(const struct issuer* from, struct issuer* to)
{
	const issuer_secrets_ext* extension = from->plugin->get_extension(ISSUER_EXT_SECRETS);
	const int same = strcmp(from->plugin->descriptor->id, to->plugin->descriptor->id) == 0;
	if (extension != NULL && same && to->plugin->get_extension(ISSUER_EXT_SECRETS) != NULL) {
		extension->lend(from->self, takeSecrets, to, NULL);
	}
}

/* Moves the issuer to another build of its plugin. On an error it is still an instance of the old one, which runs. */
static issuer_rc swap(struct issuer* running, const issuer_lifecycle* plugin, const char* config, issuer_error* error)
{
	struct issuer next = {NULL, NULL};
	issuer_rc code = create(&next, plugin, config, error);
	if (code != ISSUER_OK) {
		return code; /* the old one has noticed nothing */
	}
	struct issuer old = *running;
	const issuer_handover_ext* handover = old.plugin->get_extension(ISSUER_EXT_HANDOVER);
	if ((code = stop(&old, error)) == ISSUER_OK) {
		if (handover != NULL) {
			handover->export_state(old.self, takeOver, &next, NULL);
		}
		lend(&old, &next);
		old.plugin->set_recorder(old.self, NULL, NULL);
		code = start(&next, error);
	}
	*running = code == ISSUER_OK ? next : old;
	if (code != ISSUER_OK) {
		lend(&next, &old); /* it may have used up what it was lent */
		next.plugin->destroy(next.self, NULL);
		start(&old, NULL);
		return code;
	}
	printf("swapped to %s\n", plugin->descriptor->version);
	return old.plugin->destroy(old.self, error);
}

static void printHealth(const struct issuer* issuer)
{
	const issuer_health_ext* health = issuer->plugin->get_extension(ISSUER_EXT_HEALTH);
	issuer_health now = {.struct_size = sizeof now};
	if (health != NULL && health->snapshot(issuer->self, &now, NULL) == ISSUER_OK) {
		printf("health state=%s success=%" PRIu64 " failure=%" PRIu64 " not_renewable=%" PRIu64 "\n",
			NAME(states, now.state), now.success, now.failure, now.not_renewable);
	}
}

/* Runs one instance of builds[0] until `events` were seen (0: for ever). builds[1] is NULL where there is no other. */
static int run(const issuer_lifecycle* const builds[2], const char* config, long events)
{
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	struct issuer issuer = {NULL, NULL};
	printf("plugin %s %s\n", builds[0]->descriptor->id, builds[0]->descriptor->version);
	if (create(&issuer, builds[0], config, &error) != ISSUER_OK) {
		fprintf(stderr, "error %" PRId32 ": %s\n", error.code, error.message);
		return EXIT_FAILURE;
	}
	issuer_rc code = start(&issuer, &error);
	long swaps = 0;
	for (long seen = 0; code == ISSUER_OK && !interrupted && (events == 0 || seen < events);) {
		seen += sem_wait(&news) == 0;
		if (builds[1] != NULL && swaps < renewals) {
			code = swap(&issuer, builds[++swaps % 2], config, &error);
		}
	}
	if (code == ISSUER_OK) {
		printHealth(&issuer);
		code = stop(&issuer, &error);
	}
	if (code != ISSUER_OK) {
		fprintf(stderr, "error %" PRId32 ": %s\n", code, error.message);
		stop(&issuer, &error);
	}
	issuer.plugin->destroy(issuer.self, NULL);
	return code == ISSUER_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char** argv)
{
	if (argc < 3 || argc > 5 || argv[1][0] != '/' || (argc == 5 && argv[4][0] != '/')) {
		fprintf(stderr, "usage: %s /PATH/TO/PLUGIN.so CONFIG_JSON [EVENTS [/PATH/TO/OTHER_PLUGIN.so]]\n", argv[0]);
		return 2;
	}
	sem_init(&news, 0, 0);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = onSignal}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = onSignal}, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);

	const issuer_lifecycle* const builds[2] = {load(argv[1]), argc == 5 ? load(argv[4]) : NULL};
	if (builds[0] == NULL || (argc == 5 && builds[1] == NULL)) {
		return EXIT_FAILURE;
	}
	return run(builds, argv[2], argc >= 4 ? strtol(argv[3], NULL, 10) : 0);
}
