#include "observe/systemd/journald.h"
#include "observe/systemd/service.h"

#include "told_events.h"

#include <condition_variable>
#include <future>
#include <gmock/gmock.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace issuer::observe {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr UnixTime noon{1'800'000'000s};

std::vector<JournaldEntry> sent(issuer_log_level level, const std::function<void(Journald&)>& tell)
{
	std::vector<JournaldEntry> entries;
	Journald journald(level, [&](const JournaldEntry& entry) { entries.push_back(entry); });
	tell(journald);
	journald.close();
	return entries;
}

TEST(Journald, IsGivenALineForPeopleAndFieldsToFindItBy)
{
	const auto entries = sent(ISSUER_LOG_INFO, [](Journald& journald) {
		journald.event("team-a", test::renewal(ISSUER_RESULT_FAILURE, noon, 1h));
		journald.notice({Action::swapped, ISSUER_LOG_INFO, "team-a", "from 1 to 2"});
		journald.log("team-a", ISSUER_LOG_ERROR, "tls", "wrong name");
	});
	ASSERT_EQ(entries.size(), 3U);
	EXPECT_THAT(entries[0],
		AllOf(Contains("PRIORITY=4"), Contains("ISSUER=team-a"), Contains("ISSUER_STATE=retrying"),
			Contains("ISSUER_RESULT=failure"), Contains("ISSUER_TTL_MS=3600000"), Contains("ISSUER_LATENCY_US=12000")));
	EXPECT_THAT(entries[0].front(), AllOf(StartsWith("MESSAGE=team-a"), HasSubstr("1 h left"), Not(HasSubstr("20"))));
	EXPECT_THAT(entries[1], AllOf(Contains("PRIORITY=6"), Contains("ISSUER_ACTION=swapped")));
	EXPECT_THAT(entries[2], AllOf(Contains("PRIORITY=3"), Contains("ISSUER_COMPONENT=tls")));
}

TEST(Journald, HearsNothingBelowTheLevelNothingTwiceAndNothingAfterTheEnd)
{
	EXPECT_THAT(sent(ISSUER_LOG_WARN,
					[](Journald& journald) {
						journald.event("a", test::state(ISSUER_STATE_ACTIVE, noon, 1h));
						journald.log("a", ISSUER_LOG_ERROR, "events", "said twice");
						journald.notice({Action::ready, ISSUER_LOG_INFO, {}, "x"});
						journald.close();
						journald.notice({Action::ready, ISSUER_LOG_ERROR, {}, "x"});
					}),
		testing::IsEmpty());
}

TEST(Journald, LosesNothingWhileTenThousandIssuersStartAndItTakesNothing)
{
	constexpr std::size_t told = 30'000;
	std::promise<void> takes;
	std::size_t taken = 0;
	Journald journald(ISSUER_LOG_INFO, [&, first = true](const JournaldEntry& entry) mutable {
		if (std::exchange(first, false)) {
			takes.get_future().wait();
		}
		taken += entry.front().find("dropped") == std::string::npos ? 1U : 0U;
	});
	for (std::size_t i = 0; i < told; ++i) {
		journald.notice({Action::started, ISSUER_LOG_INFO, "a", "with Vault"});
	}
	takes.set_value();
	journald.close();
	EXPECT_EQ(taken, told);
}

TEST(Journald, CannotBeMadeToTakeAFieldForAnother)
{
	const auto entries = sent(ISSUER_LOG_INFO,
		[](Journald& journald) { journald.log("a\nPRIORITY=0", ISSUER_LOG_WARN, "x", "line\nISSUER=b"); });
	ASSERT_EQ(entries.size(), 1U);
	for (const std::string& field : entries.front()) {
		EXPECT_EQ(field.find('\n'), std::string::npos) << field;
	}
}

TEST(Journald, IsWhereStdoutGoesOnlyIfSystemdSaysSo)
{
	struct stat about
	{
	};
	ASSERT_EQ(::fstat(STDOUT_FILENO, &about), 0);
	const std::string ours = std::to_string(about.st_dev) + ':' + std::to_string(about.st_ino);
	EXPECT_TRUE(Journald::reads(STDOUT_FILENO, ours.c_str()));
	EXPECT_FALSE(Journald::reads(STDOUT_FILENO, "1:2"));
	EXPECT_FALSE(Journald::reads(STDOUT_FILENO, "nonsense"));
	EXPECT_FALSE(Journald::reads(STDOUT_FILENO, nullptr));
}

/// The messages of a service to its manager; tests can wait for them.
class Told
{
public:
	void add(const std::string& state)
	{
		const std::lock_guard lock(_mutex);
		_states.push_back(state);
		_changed.notify_all();
	}
	[[nodiscard]] bool waitFor(const std::string& state, int times = 1)
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_for(lock, 30s, [&] { return std::ranges::count(_states, state) >= times; });
	}
	[[nodiscard]] std::vector<std::string> take()
	{
		const std::lock_guard lock(_mutex);
		return std::exchange(_states, {});
	}

private:
	std::mutex _mutex;
	std::condition_variable _changed;
	std::vector<std::string> _states;
};

struct AService : testing::Test
{
	Told told;
	Told stalls;
	std::mutex mutex;
	Service::Condition condition{"2 issuers: 2 well", ""};

	std::unique_ptr<Service> service(std::optional<std::chrono::microseconds> watchdog)
	{
		return std::make_unique<Service>([this](const std::string& state) { told.add(state); }, watchdog,
			[this] {
				const std::lock_guard lock(mutex);
				return condition;
			},
			[this](const std::string& text) { stalls.add(text); });
	}
	void become(Service::Condition next)
	{
		const std::lock_guard lock(mutex);
		condition = std::move(next);
	}
};

TEST_F(AService, GivesSignsOfLifeOnceItIsReady)
{
	const auto watched = service(3ms);
	EXPECT_THAT(told.take(), testing::IsEmpty());
	watched->ready();
	EXPECT_TRUE(told.waitFor("WATCHDOG=1", 3));
	EXPECT_THAT(told.take(), Contains("STATUS=2 issuers: 2 well").Times(1));
}

TEST_F(AService, GivesNoneWhileNothingMovesAndSaysSoOnce)
{
	const auto watched = service(3ms);
	watched->ready();
	EXPECT_TRUE(told.waitFor("WATCHDOG=1"));
	become({"", "2 issuers are overdue"});
	EXPECT_TRUE(told.waitFor("STATUS=2 issuers are overdue"));
	static_cast<void>(told.take());
	become({"", "3 issuers are overdue"}); // it has looked again since, and given no sign
	EXPECT_TRUE(told.waitFor("STATUS=3 issuers are overdue"));
	EXPECT_THAT(told.take(), ElementsAre("STATUS=3 issuers are overdue"));
	become({"2 issuers: 2 well", ""});
	EXPECT_TRUE(told.waitFor("WATCHDOG=1"));
	EXPECT_THAT(stalls.take(), ElementsAre("2 issuers are overdue"));
}

TEST_F(AService, GivesNoSignsOfLifeWithoutAWatchdog)
{
	{
		const auto unwatched = service({});
		unwatched->ready();
		EXPECT_TRUE(told.waitFor("STATUS=2 issuers: 2 well"));
		unwatched->stopping();
	}
	EXPECT_THAT(told.take(), ElementsAre("READY=1", "STATUS=2 issuers: 2 well", "STOPPING=1"));
}

TEST_F(AService, SaysNothingOfAReloadThatEndsAfterTheStopBegan)
{
	const auto stopped = service({});
	stopped->reloading();
	stopped->stopping();
	stopped->ready();
	stopped->reloading();
	auto said = told.take();
	std::erase_if(said, [](const std::string& line) { return line.starts_with("STATUS="); }); // in its own rhythm
	EXPECT_THAT(said, ElementsAre(StartsWith("RELOADING=1"), "STOPPING=1"));
}

} // namespace
} // namespace issuer::observe
