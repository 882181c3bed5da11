/* Preloaded into a program, lets it stay dumpable, so that a test may search the core dump that it would not leave. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((visibility("default"))) int prctl(int option, ...)
{
	unsigned long argument[4];
	va_list list;
	va_start(list, option);
	for (int i = 0; i < 4; ++i) {
		argument[i] = va_arg(list, unsigned long);
	}
	va_end(list);
	if (option == PR_SET_DUMPABLE) {
		return 0;
	}
	return (int)syscall(SYS_prctl, option, argument[0], argument[1], argument[2], argument[3]);
}
