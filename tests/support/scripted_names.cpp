#include "scripted_names.h"

#include <algorithm>
#include <condition_variable>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <netdb.h>

namespace issuer::test::names {
namespace {

struct Script
{
	std::vector<std::string> addresses; ///< empty: it fails
	bool hangs = false;
	int waiting = 0; ///< number of calls that hang
};

std::mutex mutex;
std::condition_variable changed;
std::map<std::string, Script> scripts;

void say(const std::string& name, Script script)
{
	const std::lock_guard lock(mutex);
	auto& said = scripts[name];
	script.waiting = said.waiting;
	said = std::move(script);
	changed.notify_all();
}

} // namespace

void resolve(const std::string& name, const std::vector<std::string>& addresses)
{
	say(name, {addresses});
}

void fail(const std::string& name)
{
	say(name, {});
}

void hang(const std::string& name)
{
	say(name, {{}, true});
}

bool awaitHanging(const std::vector<std::string>& names, std::chrono::seconds limit)
{
	std::unique_lock lock(mutex);
	return changed.wait_for(lock, limit,
		[&] { return std::ranges::all_of(names, [](const auto& name) { return scripts[name].waiting > 0; }); });
}

void release()
{
	std::unique_lock lock(mutex);
	for (auto& [name, script] : scripts) {
		script.hangs = false;
	}
	changed.notify_all();
	changed.wait(lock,
		[] { return std::ranges::all_of(scripts, [](const auto& script) { return script.second.waiting == 0; }); });
}

} // namespace issuer::test::names

/// A program's own function is found before the C library's.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result)
{
	using namespace issuer::test::names;
	static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
	std::vector<std::string> addresses;
	{
		std::unique_lock lock(mutex);
		const bool isNumeric = node == nullptr || (hints != nullptr && (hints->ai_flags & AI_NUMERICHOST) != 0);
		const auto script = isNumeric ? scripts.end() : scripts.find(node);
		if (script == scripts.end()) {
			lock.unlock();
			return real(node, service, hints, result);
		}
		++script->second.waiting;
		changed.notify_all();
		changed.wait(lock, [&] { return !script->second.hangs; });
		--script->second.waiting;
		changed.notify_all();
		addresses = script->second.addresses;
	}
	*result = nullptr;
	for (auto** next = result; const auto& address : addresses) {
		if (const int error = real(address.c_str(), service, hints, next); error != 0) {
			return error;
		}
		while (*next != nullptr) { // freeaddrinfo() frees each part of the list by itself
			next = &(*next)->ai_next;
		}
	}
	return addresses.empty() ? EAI_AGAIN : 0;
}
