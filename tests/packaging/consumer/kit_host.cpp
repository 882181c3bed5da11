// A host on the kit: drives the plugin named on the command line, and tells what it heard.
#include <issuer/kit/host.h>

#include <chrono>
#include <cstdio>
#include <dlfcn.h>
#include <memory>
#include <string>
#include <string_view>

namespace kit = issuer::kit;

class Told final : public kit::Log, public kit::Recorder
{
public:
	void log(issuer_log_level, std::string_view, std::string_view) override {}
	void record(const issuer_event& event) override { heard = kit::view(event.detail); }

	std::string heard;
};

int main(int argc, char** argv)
{
	void* const library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
	if (library == nullptr) {
		std::fprintf(stderr, "usage: kit_host PLUGIN.so\n");
		return 2;
	}
	const auto* const table = static_cast<const issuer_lifecycle*>(dlsym(library, ISSUER_LIFECYCLE_SYMBOL));
	const std::shared_ptr<const issuer_lifecycle> plugin(table, [library](auto*) { dlclose(library); });
	const auto told = std::make_shared<Told>();
	if (kit::Instance::create(plugin, "", told)) {
		return 1; // it wants a configuration
	}
	auto instance = kit::Instance::create(plugin, "a configuration", told);
	if (!instance || !instance->setRecorder(told) || !instance->start()) {
		return 1;
	}
	const auto health = instance->health();
	const kit::Answer stopped = instance->stop(std::chrono::seconds(10));
	std::printf(
		"%s was in state %d and told of %s\n", table->descriptor->id, health ? health->state : -1, told->heard.c_str());
	return stopped ? 0 : 1;
}
