/* A library that, like libPocoFoundation, blocks SIGPIPE in whichever thread loads it. */
#include <signal.h>
#include <stddef.h>

__attribute__((constructor)) static void blockSigpipe(void)
{
	sigset_t sigpipe;
	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &sigpipe, NULL);
}
