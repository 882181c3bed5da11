// A host in C++: starts the plugin named on the command line, asks it how it is, and ends.
#include <issuer/health.h>

#include <cstdio>
#include <dlfcn.h>

namespace {

void log(void*, issuer_log_level, issuer_str, issuer_str) noexcept {}

const void* getExtension(void*, const char*) noexcept
{
	return nullptr;
}

bool ok(const char* what, issuer_rc code)
{
	if (code != ISSUER_OK) {
		std::fprintf(stderr, "%s: %d\n", what, code);
	}
	return code == ISSUER_OK;
}

} // namespace

int main(int argc, char** argv)
{
	void* library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
	const auto* plugin =
		library != nullptr ? static_cast<const issuer_lifecycle*>(dlsym(library, ISSUER_LIFECYCLE_SYMBOL)) : nullptr;
	if (plugin == nullptr || plugin->abi_major != ISSUER_ABI_MAJOR) {
		return 2;
	}
	const issuer_host host = {sizeof(issuer_host), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, nullptr, log, getExtension};
	const auto* health = static_cast<const issuer_health_ext*>(plugin->get_extension(ISSUER_EXT_HEALTH));
	issuer_health now = {};
	now.struct_size = sizeof now;
	issuer_instance* instance = nullptr;
	const bool good =
		health != nullptr && ok("create", plugin->create(&host, {"{}", 2}, &instance, nullptr)) &&
		ok("start", plugin->start(instance, nullptr)) && ok("snapshot", health->snapshot(instance, &now, nullptr)) &&
		ok("stop", plugin->stop(instance, 1000, nullptr)) && ok("destroy", plugin->destroy(instance, nullptr));
	std::printf("%s %s was in state %d\n", plugin->descriptor->id, plugin->descriptor->version, now.state);
	return dlclose(library) == 0 && good ? 0 : 1;
}
