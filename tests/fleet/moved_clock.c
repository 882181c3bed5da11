/* Preloaded into a process, moves its wall clock ahead by $MOVED_CLOCK_MS (behind, if negative). The clocks that only
   measure time stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long moved_ms(void)
{
	const char* text = getenv("MOVED_CLOCK_MS");
	return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec* now)
{
	static int (*real)(clockid_t, struct timespec*);
	if (!real) {
		*(void**)&real = dlsym(RTLD_NEXT, "clock_gettime");
	}
	const int failed = real(clock, now);
	if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
		const long long ns = now->tv_nsec + moved_ms() % 1000 * 1000000LL;
		now->tv_sec += moved_ms() / 1000 + (ns >= 1000000000 ? 1 : ns < 0 ? -1 : 0);
		now->tv_nsec = (long)((ns + 1000000000LL) % 1000000000LL);
	}
	return failed;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone)
{
	struct timespec exact;
	(void)zone;
	const int failed = clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return failed;
}

time_t time(time_t* now)
{
	struct timespec exact;
	clock_gettime(CLOCK_REALTIME, &exact);
	if (now) {
		*now = exact.tv_sec;
	}
	return exact.tv_sec;
}
