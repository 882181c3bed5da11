// The plugin as a host drives it, with a server of the test's own.
#include "new_plugin.h"

#include <chrono>
#include <future>
#include <gmock/gmock.h>
#include <issuer/kit/host.h>
#include <issuer/kit/plugin.h>
#include <memory>
#include <utility>

namespace new_plugin {
namespace {

using namespace std::chrono_literals;
using testing::Field;
using testing::InSequence;
using testing::Return;

class MockServer : public Server
{
public:
	MOCK_METHOD(std::optional<std::chrono::seconds>, renew, (const std::stop_token&), (override));
};

class MockRecorder : public issuer::kit::Recorder
{
public:
	MOCK_METHOD(void, record, (const issuer_event&), (override));
};

class NoLog : public issuer::kit::Log
{
	void log(issuer_log_level, std::string_view, std::string_view) override {}
};

/// The server of the next instance.
std::unique_ptr<Server> nextServer;

class TestedPlugin : public NewPlugin
{
public:
	static constexpr issuer_descriptor descriptor = issuer::kit::descriptor("org.example.tested", "tested", "1.0.0");

	static issuer::kit::Result<Config> configure(std::string_view json)
	{
		auto config = NewPlugin::configure(json);
		if (config) {
			config->retryPause = 1ms;
		}
		return config;
	}
	TestedPlugin(issuer::kit::HostCallbacks& host, Config config) : NewPlugin(host, config, std::move(nextServer)) {}
};

auto created(std::string_view config)
{
	const std::shared_ptr<const issuer_lifecycle> table(&issuer::kit::lifecycleOf<TestedPlugin>, [](auto*) {});
	return issuer::kit::Instance::create(table, config, std::make_shared<NoLog>());
}

auto result(issuer_result wanted)
{
	return Field(&issuer_event::result, wanted);
}

TEST(NewPlugin, RefusesAConfigurationThatIsNoObject)
{
	EXPECT_EQ(created("nonsense").answer().code, ISSUER_E_INVALID);
}

TEST(NewPlugin, TriesAgainAfterAFailureAndTellsOfBoth)
{
	auto server = std::make_unique<MockServer>();
	EXPECT_CALL(*server, renew).WillOnce(Return(std::nullopt)).WillRepeatedly(Return(1h));
	nextServer = std::move(server);
	auto recorder = std::make_shared<MockRecorder>();
	std::promise<void> renewed;
	{
		const InSequence inThisOrder;
		EXPECT_CALL(*recorder, record(result(ISSUER_RESULT_FAILURE)));
		EXPECT_CALL(*recorder, record(result(ISSUER_RESULT_SUCCESS))).WillOnce([&](auto&) { renewed.set_value(); });
	}
	auto instance = created("{}");
	ASSERT_TRUE(instance);
	ASSERT_TRUE(instance->setRecorder(recorder));
	ASSERT_TRUE(instance->start());
	ASSERT_EQ(renewed.get_future().wait_for(10s), std::future_status::ready);
	EXPECT_EQ(instance->health()->state, ISSUER_STATE_ACTIVE);
	EXPECT_TRUE(instance->stop(10s));
	EXPECT_EQ(instance->health()->state, ISSUER_STATE_STOPPED);
}

} // namespace
} // namespace new_plugin
