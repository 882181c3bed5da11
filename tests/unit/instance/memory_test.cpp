// Makes each allocation fail in turn, in a start and in a run: no crash, and no issuer without a next step.
#include "failing_allocations.h"
#include "fixture.h"

namespace issuer::vault::test {
namespace {

using issuer::test::FailingAllocations;

/// A server that is well. Memory is short in the instance only.
class Well final : public transport::Exchange
{
public:
	Task<transport::ExchangeResult> carry(const HttpRequest& request, transport::Deadline) override
	{
		Sent reply = answer(request);
		co_return reply;
	}

	std::atomic<int> renewals = 0;

private:
	Sent answer(const HttpRequest& request)
	{
		const FailingAllocations::Exempt exempt;
		if (request.path == "/v1/auth/token/renew-self") {
			++renewals;
			return renewed(60s);
		}
		return lookedUp(60s);
	}
};

class MemoryTest : public InstanceTest
{
protected:
	MemoryTest() { services = std::make_shared<VirtualServices>(server); }

	/// Runs `act` with the n-th allocation failing, for each n that there is.
	template <class Act>
	void forEachAllocation(const Act& act)
	{
		int n = 0;
		bool failed = true;
		while (failed && n < 5000) {
			failed = act(++n);
			ASSERT_FALSE(HasFailure()) << "allocation " << n;
		}
		EXPECT_GT(n, 10);
		EXPECT_LT(n, 5000);
	}

	/// Starts it with the n-th allocation failing, while time passes.
	bool startWithout(int n, Instance& instance)
	{
		auto starting = std::async(std::launch::async, [&] {
			FailingAllocations::failAt(n);
			try {
				return instance.start().has_value();
			}
			catch (const std::bad_alloc&) {
				return false;
			}
		});
		const FailingAllocations::Exempt exempt;
		while (starting.wait_for(0s) != std::future_status::ready) {
			services->pass(100ms);
		}
		return starting.get();
	}

	void isRenewedFromNowOn(Instance& instance)
	{
		services->pass(5s);
		EXPECT_TRUE(services->untilNextRun()) << "nothing is planned";
		const int before = server->renewals;
		services->pass(60s);
		EXPECT_EQ(instance.snapshot().state, State::active);
		EXPECT_GT(server->renewals, before);
	}

	std::shared_ptr<Well> server = std::make_shared<Well>();
};

TEST_F(MemoryTest, AStartWithoutMemoryStartsOrCanBeRepeatedAndLeavesNothingBehind)
{
	writeToken(secretText);
	forEachAllocation([&](int n) {
		const auto instance = make(fileConfig(n % 2 == 0 ? Config::Startup::failFast : Config::Startup::background));
		const bool started = startWithout(n, *instance);
		if (started) {
			services->pass(1s);
		}
		const bool failed = FailingAllocations::stop();
		EXPECT_TRUE(started || failed);
		EXPECT_EQ(instance->running(), started);
		if (!started) {
			services->pass(30s); // a reader that had not been told would come upon it now
			EXPECT_TRUE(instance->start());
		}
		isRenewedFromNowOn(*instance);
		EXPECT_TRUE(instance->stop(1h));
		return failed;
	});
}

TEST_F(MemoryTest, ARunWithoutMemoryIsFollowedByOneThatRenews)
{
	forEachAllocation([&](int n) {
		const auto instance = make(config());
		EXPECT_TRUE(instance->start());
		FailingAllocations::failAt(n);
		services->toNextRun();
		const bool failed = FailingAllocations::stop();
		isRenewedFromNowOn(*instance);
		EXPECT_TRUE(instance->stop(1h));
		return failed;
	});
}

TEST_F(MemoryTest, ANewTokenIsTakenAlsoWhenMemoryWasShortAsItCame)
{
	forEachAllocation([&](int n) {
		writeToken("hvs.the.first.token");
		const auto instance = make(fileConfig());
		EXPECT_TRUE(instance->start());
		writeToken(secretText);
		FailingAllocations::failAt(n);
		services->pass(32s);
		const bool failed = FailingAllocations::stop();
		isRenewedFromNowOn(*instance);
		EXPECT_TRUE(instance->useCredential([](std::string_view shown) { EXPECT_EQ(shown, secretText); }));
		EXPECT_TRUE(instance->stop(1h));
		return failed;
	});
}

} // namespace
} // namespace issuer::vault::test
