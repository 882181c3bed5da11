// Hosts whose callbacks block, on real threads.
#include "fixture.h"

#include "runtime/helpers.h"
#include "runtime/runtime.h"

namespace issuer::vault::test {
namespace {

/// A server that knows every token, by a certificate about to end.
class Knows final : public transport::Exchange
{
public:
	Task<transport::ExchangeResult> carry(const HttpRequest&, transport::Deadline) override
	{
		auto reply = lookedUp(3600s);
		reply->advice.emplace_back("client.pem ends tomorrow");
		co_return reply;
	}
};

class RealServices final : public Services
{
public:
	const runtime::Clock& clock() const override { return _runtime.clock(); }
	runtime::Scheduler& scheduler() override { return _runtime.scheduler(); }
	credential::Reader& reader() override { return _reader; }
	Callbacks& callbacks() override { return _callbacks; }
	LoginOffice& logins() override { return _logins; }
	std::shared_ptr<transport::Exchange> exchange(const transport::Settings&) override
	{
		return std::make_shared<Knows>();
	}

private:
	static runtime::Helpers::Options many()
	{
		runtime::Helpers::Options options;
		options.mostEver = 1024;
		options.stuckAfter = 5ms;
		options.slowShare = 1;
		return options;
	}

	runtime::Helpers _helpers{many()};
	Callbacks _callbacks{[this](auto work) { return _helpers.submit({}, std::move(work)); }};
	runtime::Runtime _runtime;
	LoginOffice _logins;
	credential::Reader _reader{[this](auto work) { return _helpers.submit("file", std::move(work)); },
		_runtime.scheduler(), _runtime.clock(), {}};
};

enum class Callback
{
	event,
	log,
};

/// Does not return from one of its callbacks until all are let go.
class Blocked final : public Listener
{
public:
	Blocked(Callback where, std::shared_future<void> go) : _where(where), _go(std::move(go)) {}

	void event(const renewal::Event&) noexcept override { block(Callback::event); }
	void log(renewal::Level, std::string_view, std::string_view) noexcept override { block(Callback::log); }

	std::atomic<int> inside = 0;

private:
	void block(Callback where)
	{
		if (where == _where) {
			++inside;
			_go.wait();
			--inside;
		}
	}

	const Callback _where;
	std::shared_future<void> _go;
};

class BlockedListeners : public testing::TestWithParam<Callback>
{
};

TEST_P(BlockedListeners, HoweverManyTheyDelayTheirOwnInstancesOnly)
{
	constexpr int many = 150; // more than there are workers
	std::promise<void> go;
	const auto gone = go.get_future().share();
	const auto services = std::make_shared<RealServices>();
	const auto configured = [](Config::Startup startup) {
		Config config;
		config.token.value = credential::Secret(secretText);
		config.startup = startup;
		return config;
	};
	const ServicesSource lend = [&] { return services; };

	std::vector<std::unique_ptr<Blocked>> listeners;
	std::vector<std::unique_ptr<Instance>> instances;
	for (int i = 0; i < many; ++i) {
		listeners.push_back(std::make_unique<Blocked>(GetParam(), gone));
		instances.push_back(
			std::make_unique<Instance>(configured(Config::Startup::background), *listeners.back(), lend));
		ASSERT_TRUE(instances.back()->start());
	}
	for (const auto& listener : listeners) {
		while (listener->inside == 0) {
			std::this_thread::yield();
		}
	}

	Hearing hearing;
	Instance free(configured(Config::Startup::failFast), hearing, lend);
	EXPECT_TRUE(free.start());
	while (hearing.events().empty()) {
		std::this_thread::yield();
	}
	EXPECT_TRUE(free.stop(1h));

	for (const auto& instance : instances) {
		EXPECT_EQ(instance->stop(0ms).error().kind, Refusal::Kind::timeout) << "its callback is running";
	}
	go.set_value();
	for (const auto& instance : instances) {
		EXPECT_TRUE(instance->stop(1h));
	}
}

INSTANTIATE_TEST_SUITE_P(In, BlockedListeners, testing::Values(Callback::event, Callback::log),
	[](const auto& tested) { return tested.param == Callback::event ? "Record" : "Log"; });

} // namespace
} // namespace issuer::vault::test
