#include "fixture.h"

namespace issuer::vault::test {
namespace {

/// A server that takes the request and never answers.
class Silence
{
public:
	Sent operator()(const HttpRequest&, transport::Deadline)
	{
		_asked.set_value();
		return tl::unexpected(ExchangeError{ExchangeError::Kind::cancelled, "stopped"});
	}

	void awaitRequest() { _asked.get_future().wait(); }

private:
	std::promise<void> _asked;
};

TEST_F(InstanceTest, StopEndsARequestThatHangsAndIsNoFailure)
{
	Silence silence;
	EXPECT_CALL(*exchange, send).WillOnce(std::ref(silence));
	const auto instance = make(config(Config::Startup::background));
	ASSERT_TRUE(instance->start());
	silence.awaitRequest();
	EXPECT_TRUE(instance->stop(1h));
	EXPECT_EQ(hearing.outcomes(Outcome::failure), 0);
	EXPECT_EQ(instance->snapshot().failures, 0);
	EXPECT_EQ(services->untilNextRun(), std::nullopt);
}

TEST_F(InstanceTest, StopFromAnotherThreadEndsAStartThatWaits)
{
	Silence silence;
	EXPECT_CALL(*exchange, send).WillOnce(std::ref(silence));
	const auto instance = make(config());
	auto started = std::async(std::launch::async, [&] { return instance->start(); });
	silence.awaitRequest();
	EXPECT_EQ(instance->snapshot().state, State::starting);
	EXPECT_EQ(instance->start().error().kind, Refusal::Kind::state);
	EXPECT_TRUE(instance->stop(1h));
	EXPECT_EQ(started.get().error().kind, Refusal::Kind::cancelled);
	EXPECT_FALSE(instance->running());
}

TEST_F(InstanceTest, StopOfAStartThatWaitsMayBePolled)
{
	Silence silence;
	EXPECT_CALL(*exchange, send).WillOnce(std::ref(silence));
	const auto instance = make(config());
	auto started = std::async(std::launch::async, [&] { return instance->start(); });
	silence.awaitRequest();
	while (!instance->stop(0ms)) {
		std::this_thread::yield();
	}
	EXPECT_FALSE(started.get());
}

TEST_F(InstanceTest, AStartThatHearsNothingEndsWithItsTimeout)
{
	Silence silence;
	EXPECT_CALL(*exchange, send).Times(testing::AtMost(1)).WillRepeatedly(std::ref(silence));
	auto impatient = config();
	impatient.startupTimeout = 1ms;
	const auto instance = make(std::move(impatient));
	const auto started = instance->start();
	ASSERT_FALSE(started);
	EXPECT_EQ(started.error().kind, Refusal::Kind::unavailable);
	EXPECT_THAT(started.error().text, testing::HasSubstr("startup_timeout"));
	EXPECT_FALSE(instance->running());
}

TEST_F(InstanceTest, ServicesAreHeldWhileItRunsAndLetGoBeforeStopReturns)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(lookedUp(60s)));
	const auto instance = make(config());
	const auto before = services.use_count();
	ASSERT_TRUE(start(*instance));
	EXPECT_GT(services.use_count(), before);
	EXPECT_TRUE(instance->stop(1h));
	EXPECT_EQ(services.use_count(), before);
}

TEST_F(InstanceTest, NothingIsHeardAfterStop)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(lookedUp(60s)));
	const auto instance = make(config());
	ASSERT_TRUE(start(*instance));
	ASSERT_TRUE(instance->stop(1h));
	const auto heard = hearing.everything();
	services->advance(1h);
	EXPECT_EQ(hearing.everything(), heard);
}

/// A listener that does not return until it is let go.
class Blocking final : public Listener
{
public:
	void event(const renewal::Event&) noexcept override
	{
		if (!_entered.exchange(true)) {
			_inside.set_value();
			_go.get_future().wait();
		}
	}
	void log(renewal::Level, std::string_view, std::string_view) noexcept override {}

	void awaitEntry() { _inside.get_future().wait(); }
	void letGo() { _go.set_value(); }

private:
	std::atomic<bool> _entered = false;
	std::promise<void> _inside;
	std::promise<void> _go;
};

TEST_F(InstanceTest, AListenerThatBlocksMakesStopTimeOutAndHoldsUpNothingElse)
{
	EXPECT_CALL(*exchange, send).WillRepeatedly(Return(lookedUp(60s)));
	Blocking listener;
	Instance instance(config(Config::Startup::background), listener, lend);
	ASSERT_TRUE(instance.start());
	listener.awaitEntry();
	EXPECT_EQ(instance.stop(1ms).error().kind, Refusal::Kind::timeout);
	EXPECT_TRUE(instance.running());
	EXPECT_EQ(instance.start().error().kind, Refusal::Kind::state);
	static_cast<void>(instance.snapshot());
	listener.letGo();
	EXPECT_TRUE(instance.stop(1h));
	EXPECT_FALSE(instance.running());
}

} // namespace
} // namespace issuer::vault::test
