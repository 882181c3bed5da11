/*
 * A host in plain C that swaps one instance between two builds of a plugin, as the contract says: the new library is
 * loaded beside the old one, the instance handed over, a renewal awaited, the old library unloaded and seen to be gone.
 *
 *     plain_swap_host CONFIG_FILE SWAPS PLUGIN_A PLUGIN_B
 *
 * Its last line is JSON with what happened and what the process looked like at the beginning and at the end.
 */
#define _GNU_SOURCE

#include "issuer/control.h"
#include "issuer/handover.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum
{
	WARM_UP = 10, /* swaps after which everything that is opened once has been opened */
	LIMIT_MS = 60 * 1000
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static long renewals, failures;

static void onEvent(void* ctx, const issuer_event* event)
{
	(void)ctx;
	pthread_mutex_lock(&mutex);
	renewals += event->kind == ISSUER_EVENT_RENEWAL && event->result == ISSUER_RESULT_SUCCESS;
	failures += event->kind == ISSUER_EVENT_RENEWAL && event->result != ISSUER_RESULT_SUCCESS;
	pthread_cond_signal(&news);
	pthread_mutex_unlock(&mutex);
}

static void onLog(void* ctx, issuer_log_level level, issuer_str component, issuer_str text)
{
	(void)ctx;
	if (level >= ISSUER_LOG_WARN) {
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

struct running
{
	const char* path;
	void* library;
	const issuer_lifecycle* plugin;
	issuer_instance* instance;
};

/* Ends the program: this is a test, and nothing more can be learnt. */
static void must(bool holds, const char* what, const char* detail)
{
	if (!holds) {
		fprintf(stderr, "plain_swap_host: %s: %s\n", what, detail);
		exit(EXIT_FAILURE);
	}
}

static struct running create(const char* path, issuer_str config)
{
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	struct running next = {path, dlopen(path, RTLD_NOW | RTLD_LOCAL), NULL, NULL};
	must(next.library != NULL, "dlopen", path);
	next.plugin = dlsym(next.library, ISSUER_LIFECYCLE_SYMBOL);
	must(next.plugin != NULL, "dlsym", path);
	must(next.plugin->create(&host, config, &next.instance, &error) == ISSUER_OK, "create", error.message);
	return next;
}

static void start(struct running* next)
{
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	must(next->plugin->set_recorder(next->instance, &recorder, &error) == ISSUER_OK, "set_recorder", error.message);
	must(next->plugin->start(next->instance, &error) == ISSUER_OK, "start", error.message);
}

static void importState(void* next, issuer_str blob)
{
	struct running* to = next;
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	const issuer_handover_ext* handover = to->plugin->get_extension(ISSUER_EXT_HANDOVER);
	must(handover->import_state(to->instance, blob, &error) == ISSUER_OK, "import_state", error.message);
}

static void end(struct running* old, struct running* next)
{
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	must(old->plugin->stop(old->instance, LIMIT_MS, &error) == ISSUER_OK, "stop", error.message);
	const issuer_handover_ext* handover = old->plugin->get_extension(ISSUER_EXT_HANDOVER);
	if (handover != NULL && next != NULL) {
		must(handover->export_state(old->instance, importState, next, &error) == ISSUER_OK, "export_state",
			error.message);
	}
	must(old->plugin->set_recorder(old->instance, NULL, &error) == ISSUER_OK, "set_recorder", error.message);
	must(old->plugin->destroy(old->instance, &error) == ISSUER_OK, "destroy", error.message);
	dlclose(old->library);
}

static long renewalsSoFar(void)
{
	pthread_mutex_lock(&mutex);
	const long count = renewals;
	pthread_mutex_unlock(&mutex);
	return count;
}

static void awaitRenewal(struct running* now, long before)
{
	const issuer_control_ext* control = now->plugin->get_extension(ISSUER_EXT_CONTROL);
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += LIMIT_MS / 1000;
	if (control != NULL) {
		control->renew_now(now->instance, NULL);
	}
	pthread_mutex_lock(&mutex);
	int waited = 0;
	while (renewals == before && waited != ETIMEDOUT) {
		waited = pthread_cond_timedwait(&news, &mutex, &deadline);
	}
	pthread_mutex_unlock(&mutex);
	must(waited != ETIMEDOUT, "no renewal", now->path);
}

static bool isMapped(const char* path)
{
	char line[4096];
	bool found = false;
	FILE* maps = fopen("/proc/self/maps", "re");
	while (fgets(line, sizeof line, maps) != NULL) {
		found = found || strstr(line, path) != NULL;
	}
	fclose(maps);
	return found;
}

static long countEntries(const char* path)
{
	long count = 0;
	DIR* directory = opendir(path);
	for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
		count += entry->d_name[0] != '.';
	}
	closedir(directory);
	return count;
}

static long residentKib(void)
{
	char line[256];
	long kib = 0;
	FILE* status = fopen("/proc/self/status", "re");
	while (fgets(line, sizeof line, status) != NULL && sscanf(line, "VmRSS: %ld", &kib) != 1) {
	}
	fclose(status);
	return kib;
}

static void printFigures(const char* name)
{
	printf("\"%s\":{\"rss_kib\":%ld,\"fds\":%ld,\"threads\":%ld}", name, residentKib(), countEntries("/proc/self/fd"),
		countEntries("/proc/self/task"));
}

int main(int argc, char** argv)
{
	must(argc == 5, "usage", "plain_swap_host CONFIG_FILE SWAPS PLUGIN_A PLUGIN_B");
	char config[64 * 1024];
	FILE* file = fopen(argv[1], "re");
	must(file != NULL, "no such file", argv[1]);
	const issuer_str text = {config, fread(config, 1, sizeof config, file)};
	fclose(file);
	const long swaps = strtol(argv[2], NULL, 10);

	struct running now = create(argv[3], text);
	start(&now);
	long stillMapped = 0;
	printf("{");
	for (long swap = 1; swap <= swaps; ++swap) {
		struct running next = create(argv[3 + swap % 2], text);
		end(&now, &next);
		const long before = renewalsSoFar();
		start(&next);
		stillMapped += isMapped(now.path);
		now = next;
		awaitRenewal(&now, before);
		if (swap == WARM_UP || swap == swaps) {
			printFigures(swap == swaps ? "last" : "first");
			printf(",");
		}
	}
	end(&now, NULL);
	printf("\"swaps\":%ld,\"renewals\":%ld,\"failures\":%ld,\"still_mapped\":%ld}\n", swaps, renewals, failures,
		stillMapped + isMapped(now.path));
	return EXIT_SUCCESS;
}
