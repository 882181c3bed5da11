// The host's side: a handle that cannot be used in the wrong order.
#include "kit_plugin.h"

#include <future>
#include <stdexcept>
#include <type_traits>

namespace issuer::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

using AnInstance = KitTest;

static_assert(!std::is_copy_constructible_v<kit::Instance> && std::is_nothrow_move_constructible_v<kit::Instance>);

TEST_F(AnInstance, IsStoppedBeforeItIsDestroyed)
{
	int stops = 0;
	script.onStop = [&] {
		++stops;
		EXPECT_EQ(script.living, 1);
		return kit::Answer();
	};
	{
		auto instance = create();
		ASSERT_TRUE(instance->start());
		EXPECT_EQ(instance->destroy().code, ISSUER_E_BUSY);
	}
	EXPECT_EQ(stops, 1);
	EXPECT_EQ(script.living, 0);
}

TEST_F(AnInstance, ThatDoesNotStopIsLeftAloneWithAllItMayUse)
{
	script.onStop = [] { return kit::Answer{ISSUER_E_TIMEOUT, "still stopping"}; };
	const std::weak_ptr<Lines> itsLog = log;
	{
		auto instance = create();
		ASSERT_TRUE(instance->start());
		EXPECT_EQ(instance->stop(milliseconds(0)).text, "still stopping");
		log.reset();
	}
	EXPECT_EQ(script.living, 1);
	ASSERT_FALSE(itsLog.expired());
	script.latest->host.log(ISSUER_LOG_INFO, "late", "still here");
	EXPECT_THAT(itsLog.lock()->texts, ElementsAre("late: still here"));
	script.onStop = [] { return kit::Answer(); };
	EXPECT_TRUE(script.latest->stop(milliseconds(0)));
}

TEST_F(AnInstance, IsAskedNothingOnceItIsGone)
{
	auto instance = create();
	ASSERT_TRUE(instance->destroy());
	EXPECT_EQ(script.living, 0);
	EXPECT_EQ(instance->start().code, ISSUER_E_STATE);
	EXPECT_EQ(instance->health().answer().code, ISSUER_E_STATE);
	EXPECT_EQ(instance->setRecorder(events).code, ISSUER_E_STATE);
	EXPECT_EQ(instance->destroy().text, "the instance is gone");
}

TEST_F(AnInstance, IsDestroyedWhereAnotherTakesItsPlace)
{
	auto instance = create();
	auto next = create();
	EXPECT_EQ(script.living, 2);
	*instance = std::move(*next);
	EXPECT_EQ(script.living, 1);
	EXPECT_TRUE(instance->start());
}

TEST_F(AnInstance, KeepsARecorderUntilTheBarrierHasPassed)
{
	auto instance = create();
	ASSERT_TRUE(instance->setRecorder(events));
	std::promise<void> inside;
	std::promise<void> release;
	events->onRecord = [&](const issuer_event&) {
		inside.set_value();
		release.get_future().wait();
	};
	auto telling = std::async(std::launch::async, [&] { script.latest->host.record({.detail = "one"}); });
	inside.get_future().wait();
	const std::weak_ptr<Events> before = events;
	events.reset();
	auto replacing = std::async(std::launch::async, [&] { return instance->setRecorder(nullptr); });
	EXPECT_FALSE(before.expired());
	release.set_value();
	EXPECT_TRUE(replacing.get());
	telling.get();
	EXPECT_TRUE(before.expired());
	script.latest->host.record({.detail = "not recorded"});
}

TEST_F(AnInstance, GetsEventsAndLinesInWords)
{
	auto instance = create();
	ASSERT_TRUE(instance->setRecorder(events));
	const kit::WallTime when{std::chrono::seconds(5)};
	events->onRecord = [](const issuer_event& event) {
		EXPECT_EQ(event.kind, ISSUER_EVENT_RENEWAL);
		EXPECT_EQ(event.unix_ms, 5000);
		EXPECT_EQ(event.ttl_ms, 60'000);
		EXPECT_EQ(event.expires_unix_ms, 65'000);
		EXPECT_EQ(event.next_unix_ms, -1);
		EXPECT_EQ(event.latency_us, 12U);
	};
	script.latest->host.record({.result = ISSUER_RESULT_SUCCESS,
		.state = ISSUER_STATE_ACTIVE,
		.when = when,
		.ttl = std::chrono::minutes(1),
		.expires = when + std::chrono::minutes(1),
		.latency = std::chrono::microseconds(12),
		.detail = "quotes a\nserver"});
	script.latest->host.log(ISSUER_LOG_WARN, "tls", "a\tline \xff");
	EXPECT_THAT(events->details, ElementsAre("quotes a server"));
	EXPECT_THAT(log->texts, ElementsAre("tls: a line ?"));
}

TEST_F(AnInstance, TellsOfALoginAsAnEventOfItsOwnKind)
{
	auto instance = create();
	ASSERT_TRUE(instance->setRecorder(events));
	std::vector<issuer_event_kind> kinds;
	events->onRecord = [&](const issuer_event& event) { kinds.push_back(event.kind); };
	script.latest->host.record({.result = ISSUER_RESULT_SUCCESS, .reason = ISSUER_REASON_LOGGED_IN, .ofLogin = true});
	script.latest->host.record({.reason = ISSUER_REASON_LOGIN_ENDS, .ofLogin = true});
	script.latest->host.record({.state = ISSUER_STATE_ACTIVE});
	EXPECT_THAT(kinds, ElementsAre(ISSUER_EVENT_LOGIN, ISSUER_EVENT_LOGIN, ISSUER_EVENT_STATE));
}

TEST_F(AnInstance, KnowsNothingOfLoginsFromAPluginOf1_0)
{
	issuer_lifecycle before = table();
	before.get_extension = [](const char*) noexcept -> const void* {
		static const issuer_health_ext health{
			sizeof health, 0, [](issuer_instance*, issuer_health* out, issuer_error*) noexcept -> issuer_rc {
				out->struct_size = offsetof(issuer_health, login_success);
				return ISSUER_OK;
			}};
		return &health;
	};
	auto instance = kit::Instance::create({&before, [](auto*) {}}, "{}", log);
	const auto health = instance->health();
	EXPECT_EQ(health->login_success + health->login_failure, 0U);
	EXPECT_EQ(health->next_login_unix_ms, -1);
	EXPECT_EQ(health->login_ends_unix_ms, -1);
	EXPECT_EQ(health->login_uses_left, -1);
}

TEST_F(AnInstance, GivesItsStateWhileItRuns)
{
	auto instance = create();
	ASSERT_TRUE(instance->start());
	EXPECT_EQ(*instance->snapshotState(), "running");
}

TEST_F(AnInstance, GivesNoStateWhileItRunsWithAPluginOf1_0)
{
	static issuer_handover_ext handover =
		*static_cast<const issuer_handover_ext*>(table().get_extension(ISSUER_EXT_HANDOVER));
	handover.struct_size = offsetof(issuer_handover_ext, snapshot_state);
	issuer_lifecycle before = table();
	before.get_extension = [](const char*) noexcept -> const void* { return &handover; };
	auto instance = kit::Instance::create({&before, [](auto*) {}}, "{}", log);
	EXPECT_EQ(instance->snapshotState().answer().code, ISSUER_E_UNSUPPORTED);
	EXPECT_EQ(*instance->exportState(), "state");
}

TEST_F(AnInstance, LendsItsSecretsToOneThatCanTakeThem)
{
	auto old = create();
	script.latest->secrets = "token";
	auto next = create();
	ASSERT_TRUE(old->canLendTo(*next));
	EXPECT_TRUE(old->lend([&](std::string_view secrets) { EXPECT_TRUE(next->take(secrets)); }));
	EXPECT_EQ(script.latest->secrets, "token");
}

TEST_F(AnInstance, LendsNothingToAnotherPlugin)
{
	static constexpr issuer_descriptor stranger = kit::descriptor("org.example.stranger", "Stranger", "1");
	issuer_lifecycle other = table();
	other.descriptor = &stranger;
	auto next = kit::Instance::create({&other, [](auto*) {}}, "{}", log);
	EXPECT_FALSE(create()->canLendTo(*next));
}

TEST_F(AnInstance, AnExceptionOfARecorderOrLogDoesNotReachThePlugin)
{
	auto instance = create();
	ASSERT_TRUE(instance->setRecorder(events));
	events->onRecord = [](const issuer_event&) { throw std::runtime_error("of the host"); };
	log->onLog = [] { throw 1; };
	script.latest->host.record({.detail = "one"});
	script.latest->host.log(ISSUER_LOG_INFO, "x", "two");
	EXPECT_EQ(events->details.size() + log->texts.size(), 2U);
}

TEST_F(AnInstance, AnExceptionOfAVisitIsThrownOn)
{
	auto instance = create();
	std::string seen;
	EXPECT_TRUE(instance->use([&](std::string_view secret) { seen = secret; }));
	EXPECT_EQ(seen, "secret");
	EXPECT_THROW(static_cast<void>(instance->use([](std::string_view) { throw std::out_of_range("visit"); })),
		std::out_of_range);
}

TEST_F(AnInstance, SaysWhichExtensionThePluginLacks)
{
	auto instance = create();
	EXPECT_EQ(instance->renewNow().code, ISSUER_E_UNSUPPORTED);
	EXPECT_EQ(instance->renewNow().text, "its plugin has no issuer.control/1");
	EXPECT_EQ(instance->diagnose(milliseconds(1), [](const issuer_finding&) {}).code, ISSUER_E_UNSUPPORTED);
}

TEST_F(AnInstance, OfATableThatCannotBeDrivenIsRefused)
{
	const auto refused = [&](auto change) {
		issuer_lifecycle damaged = table();
		change(damaged);
		return kit::Instance::create({&damaged, [](auto*) {}}, "{}", log).answer().text;
	};
	EXPECT_THAT(
		refused([](auto& it) { it.abi_major = 2; }), testing::StartsWith("it speaks version 2.1 of the contract"));
	EXPECT_THAT(refused([](auto& it) { it.struct_size = 8; }), testing::HasSubstr("too short (8 bytes)"));
	EXPECT_EQ(refused([](auto& it) { it.stop = nullptr; }), "its function stop is missing");
	EXPECT_EQ(refused([](auto& it) { it.descriptor = nullptr; }), "it has no descriptor");
	EXPECT_EQ(script.living, 0);
}

TEST_F(AnInstance, IsReplacedWhileItRunsAndGivesWhatItKnows)
{
	auto running = create();
	ASSERT_TRUE(running->setRecorder(events) && running->start());
	script.latest->secrets = "token";
	auto next = create();
	EXPECT_TRUE(kit::replace(*running, std::move(*next), events, milliseconds(1000)));
	EXPECT_EQ(script.imported, "state");
	EXPECT_EQ(script.latest->secrets, "token");
	EXPECT_EQ(script.living, 1);
	EXPECT_TRUE(script.latest->isRunning());
	script.latest->host.record({.detail = "of the new one"});
	EXPECT_THAT(events->details, ElementsAre("of the new one"));
}

TEST_F(AnInstance, GoesOnWhereItsSuccessorDoesNotStart)
{
	auto running = create();
	ASSERT_TRUE(running->setRecorder(events) && running->start());
	KitPlugin* const old = script.latest;
	auto next = create();
	int starts = 0;
	script.onStart = [&, its = script.latest] {
		if (++starts > 1) {
			return kit::Answer();
		}
		its->secrets = "unwrapped"; // and cannot be unwrapped a second time
		return kit::Answer{ISSUER_E_UNAVAILABLE, "no server"};
	};
	EXPECT_EQ(kit::replace(*running, std::move(*next), events, milliseconds(1000)).text, "no server");
	EXPECT_EQ(script.living, 1);
	EXPECT_TRUE(old->isRunning());
	EXPECT_EQ(old->secrets, "unwrapped");
	old->host.record({.detail = "of the old one"});
	EXPECT_THAT(events->details, ElementsAre("of the old one"));
}

TEST_F(AnInstance, StaysWhereItDoesNotStopInTime)
{
	auto running = create();
	ASSERT_TRUE(running->start());
	auto next = create();
	script.onStop = [] { return kit::Answer{ISSUER_E_TIMEOUT, "still stopping"}; };
	EXPECT_EQ(kit::replace(*running, std::move(*next), events, milliseconds(0)).code, ISSUER_E_TIMEOUT);
	script.onStop = [] { return kit::Answer(); };
	EXPECT_TRUE(running->stop(milliseconds(0)));
}

} // namespace
} // namespace issuer::test
