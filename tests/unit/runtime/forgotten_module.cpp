/// A library as a plugin has it, in a module of its own, for a host that unloads it without stop.
#include "held_library.h"

namespace {

issuer::vault::runtime::SharedRuntime& library()
{
	static issuer::vault::runtime::SharedRuntime one;
	return one;
}

} // namespace

extern "C" __attribute__((visibility("default"))) void* startAndForget()
{
	return new issuer::vault::runtime::test::ForgottenInstances(library()); // never deleted
}
