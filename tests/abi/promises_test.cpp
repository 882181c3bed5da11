// The promises of CONTRACT.md that no compiler can check, tested on the example plugin: others will copy it.
#include "fixture_plugins.h"

#include "issuer/control.h"
#include "issuer/credential.h"
#include "issuer/diagnose.h"
#include "issuer/handover.h"
#include "issuer/health.h"
#include "issuer/lifecycle.h"
#include "issuer/secrets.h"

#include <atomic>
#include <condition_variable>
#include <dlfcn.h>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <mutex>
#include <utility>
#include <vector>

namespace issuer::test {
namespace {

void log(void*, issuer_log_level, issuer_str, issuer_str) noexcept {}

const void* getExtension(void*, const char*) noexcept
{
	return nullptr;
}

/// The struct of a host of a later minor version: more at the end than the plugin knows.
struct GrownHost
{
	issuer_host known;
	void* later;
};

class Promises : public testing::Test
{
protected:
	Promises()
	{
		_library = dlopen(fixture::minimal, RTLD_NOW | RTLD_LOCAL);
		plugin = static_cast<const issuer_lifecycle*>(dlsym(_library, ISSUER_LIFECYCLE_SYMBOL));
		EXPECT_EQ(plugin->create(&_host.known, {"{}", 2}, &instance, nullptr), ISSUER_OK);
	}

	~Promises() override
	{
		EXPECT_EQ(plugin->stop(instance, 60'000, nullptr), ISSUER_OK);
		EXPECT_EQ(plugin->destroy(instance, nullptr), ISSUER_OK);
		dlclose(_library);
	}

	const issuer_lifecycle* plugin = nullptr;
	issuer_instance* instance = nullptr;

private:
	void* _library = nullptr;
	const GrownHost _host = {
		{sizeof(GrownHost), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR + 1, nullptr, log, getExtension}, nullptr};
};

/// The recorder of an instance while it lives: hands each event to a function, on the plugin's thread.
class Recorder
{
public:
	Recorder(const issuer_lifecycle* plugin, issuer_instance* instance, std::function<void()> onEvent)
		: _plugin(plugin), _instance(instance), _onEvent(std::move(onEvent))
	{
		const issuer_recorder table = {sizeof table, 0, this, record};
		EXPECT_EQ(_plugin->set_recorder(_instance, &table, nullptr), ISSUER_OK);
	}

	~Recorder() { EXPECT_EQ(_plugin->set_recorder(_instance, nullptr, nullptr), ISSUER_OK); }

	Recorder(const Recorder&) = delete;
	Recorder& operator=(const Recorder&) = delete;

	/// Returns when the function has returned for one more event.
	void awaitEvent()
	{
		std::unique_lock lock(_mutex);
		const auto seen = _recorded;
		EXPECT_TRUE(_changed.wait_for(lock, std::chrono::seconds(60), [&] { return _recorded > seen; }));
	}

private:
	static void record(void* ctx, const issuer_event*) noexcept
	{
		auto* self = static_cast<Recorder*>(ctx);
		self->_onEvent();
		const std::lock_guard lock(self->_mutex);
		++self->_recorded;
		self->_changed.notify_all();
	}

	const issuer_lifecycle* _plugin;
	issuer_instance* _instance;
	std::function<void()> _onEvent;
	std::mutex _mutex;
	std::condition_variable _changed;
	unsigned _recorded = 0;
};

TEST_F(Promises, StartAndStopMayBeRepeatedAndHaveNoEffectTwice)
{
	Recorder recorder(plugin, instance, [] {});
	for (int round = 0; round < 3; ++round) {
		EXPECT_EQ(plugin->start(instance, nullptr), ISSUER_OK);
		EXPECT_EQ(plugin->start(instance, nullptr), ISSUER_OK);
		recorder.awaitEvent();
		EXPECT_EQ(plugin->stop(instance, 60'000, nullptr), ISSUER_OK);
		EXPECT_EQ(plugin->stop(instance, 0, nullptr), ISSUER_OK);
	}
}

TEST_F(Promises, DestroyOfARunningInstanceIsRefusedAndTheInstanceRunsOn)
{
	Recorder recorder(plugin, instance, [] {});
	plugin->start(instance, nullptr);
	issuer_error error = {sizeof error, ISSUER_OK, ""};
	EXPECT_EQ(plugin->destroy(instance, &error), ISSUER_E_BUSY);
	EXPECT_EQ(error.code, ISSUER_E_BUSY);
	EXPECT_STREQ(error.message, "still running: stop it first");
	recorder.awaitEvent();
}

TEST_F(Promises, EverySlotRefusesACallFromInsideTheRecorder)
{
	std::vector<issuer_rc> codes;
	Recorder recorder(plugin, instance, [&] {
		codes = {plugin->start(instance, nullptr), plugin->stop(instance, 1000, nullptr),
			plugin->set_recorder(instance, nullptr, nullptr), plugin->destroy(instance, nullptr)};
	});
	plugin->start(instance, nullptr);
	recorder.awaitEvent();
	EXPECT_EQ(plugin->stop(instance, 60'000, nullptr), ISSUER_OK);
	EXPECT_EQ(codes, std::vector<issuer_rc>(4, ISSUER_E_REENTRANT));
}

TEST_F(Promises, StopTimesOutWhileTheRecorderBlocksAndSucceedsOnceItReturns)
{
	std::promise<void> entered, released;
	Recorder recorder(plugin, instance, [&, first = true]() mutable {
		if (std::exchange(first, false)) {
			entered.set_value();
			released.get_future().wait();
		}
	});
	plugin->start(instance, nullptr);
	entered.get_future().wait();
	EXPECT_EQ(plugin->stop(instance, 0, nullptr), ISSUER_E_TIMEOUT);
	EXPECT_EQ(plugin->start(instance, nullptr), ISSUER_E_STATE);
	EXPECT_EQ(plugin->destroy(instance, nullptr), ISSUER_E_BUSY);
	released.set_value();
	EXPECT_EQ(plugin->stop(instance, 60'000, nullptr), ISSUER_OK);
	EXPECT_EQ(plugin->start(instance, nullptr), ISSUER_OK);
}

TEST_F(Promises, AReplacedRecorderIsNotRunningAndNeverCalledAgain)
{
	std::atomic<bool> running = false, replaced = false;
	bool calledLate = false;
	Recorder old(plugin, instance, [&] {
		running = true;
		calledLate |= replaced;
		running = false;
	});
	plugin->start(instance, nullptr);
	old.awaitEvent();
	Recorder next(plugin, instance, [] {});
	EXPECT_FALSE(running);
	replaced = true;
	next.awaitEvent();
	next.awaitEvent();
	EXPECT_FALSE(calledLate);
}

TEST(Growth, AFieldIsSeenOnlyWithinWhatItsWriterKnew)
{
	issuer_lifecycle table = {};
	table.struct_size = sizeof table;
	EXPECT_TRUE(ISSUER_HAS(&table, issuer_lifecycle, get_extension));
	table.struct_size = sizeof table - 1;
	EXPECT_FALSE(ISSUER_HAS(&table, issuer_lifecycle, get_extension));
	EXPECT_TRUE(ISSUER_HAS(&table, issuer_lifecycle, set_recorder));
}

TEST(Names, OfTheSymbolAndOfExtensionsAreForEver)
{
	EXPECT_STREQ(ISSUER_LIFECYCLE_SYMBOL, "issuer_lifecycle_v1");
	EXPECT_STREQ(ISSUER_EXT_HEALTH, "issuer.health/1");
	EXPECT_STREQ(ISSUER_EXT_CONTROL, "issuer.control/1");
	EXPECT_STREQ(ISSUER_EXT_HANDOVER, "issuer.handover/1");
	EXPECT_STREQ(ISSUER_EXT_CREDENTIAL, "issuer.credential/1");
	EXPECT_STREQ(ISSUER_EXT_DIAGNOSE, "issuer.diagnose/1");
	EXPECT_STREQ(ISSUER_EXT_SECRETS, "issuer.secrets/1");
}

} // namespace
} // namespace issuer::test
