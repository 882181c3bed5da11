#include "fake_vault/fake_vault.h"
#include "instance.h"
#include "library.h"

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <mutex>
#include <pthread.h>
#include <string>
#include <thread>

/// The environment belongs to the host: getenv() on a thread of the plugin's would race with a host that changes it.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;

std::mutex mutex;
std::string readByThePlugin; ///< names of variables that threads of the plugin's have asked for

void note(const char* variable)
{
	std::array<char, 16> thread{};
	::pthread_getname_np(::pthread_self(), thread.data(), thread.size());
	if (std::string_view(thread.data()).starts_with("issuer-")) {
		const std::lock_guard lock(mutex);
		readByThePlugin.append(variable).append(" ");
	}
}

std::string taken()
{
	const std::lock_guard lock(mutex);
	return std::exchange(readByThePlugin, {});
}

class Renewals final : public vault::Listener
{
public:
	void await(int wanted)
	{
		std::unique_lock lock(_mutex);
		_heard.wait(lock, [&] { return _count >= wanted; });
	}

private:
	void event(const vault::renewal::Event& event) noexcept override
	{
		const std::lock_guard lock(_mutex);
		_count += event.outcome == vault::renewal::Outcome::success ? 1 : 0;
		_heard.notify_all();
	}
	void log(vault::renewal::Level, std::string_view, std::string_view) noexcept override {}

	std::mutex _mutex;
	std::condition_variable _heard;
	int _count = 0;
};

TEST(TheEnvironment, IsReadByNoThreadOfThePlugin)
{
	std::thread([] {
		::pthread_setname_np(::pthread_self(), "issuer-test");
		EXPECT_EQ(std::getenv("NOT_SET_ANYWHERE"), nullptr);
	}).join();
	EXPECT_EQ(taken(), "NOT_SET_ANYWHERE ") << "this test would notice";

	FakeVault server{FakeVault::Options{}};
	const auto token = server.api().createToken({.ttl = 60s});
	ASSERT_EQ(::setenv("ISSUER_TEST_TOKEN", token.c_str(), 1), 0);
	Renewals renewals;
	vault::Instance instance(vault::parseConfig(R"({"address":")" + server.address() +
												R"(","proxy":"environment","token":{"env":"ISSUER_TEST_TOKEN"}})")
								 .value(),
		renewals, vault::servicesSource());
	ASSERT_TRUE(instance.start().has_value());
	for (int wanted = 1; wanted <= 3; ++wanted) {
		ASSERT_TRUE(instance.renewNow().has_value());
		renewals.await(wanted);
	}
	ASSERT_TRUE(instance.stop(30s).has_value());
	EXPECT_EQ(taken(), "");
}

} // namespace

template <class Function>
Function* next(const char* name)
{
	return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace issuer::test

/// A program's own function is found before the C library's, by its shared libraries too.
extern "C" __attribute__((visibility("default"))) char* getenv(const char* name) noexcept
{
	static auto* const real = issuer::test::next<char*(const char*)>("getenv");
	issuer::test::note(name);
	return real(name);
}

extern "C" __attribute__((visibility("default"))) char* secure_getenv(const char* name) noexcept
{
	static auto* const real = issuer::test::next<char*(const char*)>("secure_getenv");
	issuer::test::note(name);
	return real(name);
}
