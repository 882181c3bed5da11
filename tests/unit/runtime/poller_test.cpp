#include "runtime/poller.h"

#include "eventually.h"
#include "runtime/system_call.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <poll.h>
#include <string>
#include <thread>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::eventually;

/// A thread that waits at a poller once.
class Watcher
{
public:
	explicit Watcher(Poller& poller)
		: _thread([this, &poller] {
			  _id = ::gettid();
			  Poller::Room room;
			  const auto events = poller.wait(room, std::nullopt);
			  _tag = events.empty() ? 0 : events.front().data.u64;
			  _back = true;
		  })
	{
		// Its first sleep is the one in which it waits.
		EXPECT_TRUE(eventually([this] { return _id != 0 && isAsleep(); }));
	}

	[[nodiscard]] bool back() const { return _back; }
	[[nodiscard]] bool comesBack() const
	{
		return eventually([this] { return back(); });
	}
	[[nodiscard]] Poller::Tag tag() const { return _tag; }

private:
	[[nodiscard]] bool isAsleep() const
	{
		std::ifstream file("/proc/self/task/" + std::to_string(_id) + "/stat");
		std::string text;
		std::getline(file, text);
		const auto name = text.rfind(')');
		return name != text.npos && text.substr(name + 2, 1) == "S";
	}

	std::atomic<pid_t> _id = 0;
	std::atomic<Poller::Tag> _tag = 0;
	std::atomic<bool> _back = false;
	std::jthread _thread;
};

Poller::Tag nextOf(Poller& poller)
{
	Poller::Room room;
	const auto events = poller.wait(room, 60s);
	return events.size() == 1 ? events.front().data.u64 : Poller::closed;
}

bool isQuiet(Poller& poller)
{
	Poller::Room room;
	return poller.wait(room, 0s).empty();
}

TEST(Poller, ACallWakesTheOneThatCameLast)
{
	Poller poller;
	Watcher first(poller);
	Watcher last(poller);
	poller.call();
	EXPECT_TRUE(last.comesBack());
	EXPECT_FALSE(first.back());
	poller.call();
	EXPECT_TRUE(first.comesBack());
	EXPECT_EQ(first.tag(), Poller::called);
}

TEST(Poller, UnansweredCallsAreOne)
{
	Poller poller;
	poller.call();
	poller.call();
	EXPECT_EQ(nextOf(poller), Poller::called);
	EXPECT_TRUE(isQuiet(poller));
}

TEST(Poller, CalledLaterWakesOneWhenTheTimeHasPassed)
{
	Poller poller;
	const auto begun = std::chrono::steady_clock::now();
	ASSERT_TRUE(poller.callLater(3ms));
	EXPECT_EQ(nextOf(poller), Poller::calledLater);
	EXPECT_GE(std::chrono::steady_clock::now() - begun, 3ms);
	EXPECT_TRUE(isQuiet(poller));
}

TEST(Poller, AWatchedDescriptorIsToldEachTimeItBecomesReadableAndToOneOnly)
{
	Poller poller;
	const Descriptor event = makeEvent();
	poller.watch(event.get(), 7);
	for (int round = 0; round < 3; ++round) {
		raise(event); // and is never read
		EXPECT_EQ(nextOf(poller), 7U);
		EXPECT_TRUE(isQuiet(poller));
	}
}

TEST(Poller, AnExpectedDescriptorIsToldOnce)
{
	Poller poller;
	const Descriptor event = makeEvent();
	raise(event);
	ASSERT_TRUE(poller.expect(event.get(), POLLIN, 7));
	EXPECT_EQ(nextOf(poller), 7U);
	EXPECT_TRUE(isQuiet(poller));
	ASSERT_TRUE(poller.expect(event.get(), POLLOUT, 8));
	EXPECT_EQ(nextOf(poller), 8U);
	EXPECT_TRUE(isQuiet(poller));
}

TEST(Poller, AnExpectationTakesThePlaceOfTheOneBefore)
{
	Poller poller;
	const Descriptor event = makeEvent();
	ASSERT_TRUE(poller.expect(event.get(), POLLIN, 7));
	ASSERT_TRUE(poller.expect(event.get(), POLLIN, 8));
	raise(event);
	EXPECT_EQ(nextOf(poller), 8U);
	EXPECT_TRUE(isQuiet(poller));
}

TEST(Poller, OfADescriptorThatIsNotOneNothingIsExpected)
{
	Poller poller;
	EXPECT_FALSE(poller.expect(12345, POLLIN, 7));
}

TEST(Poller, ClosingWakesAllWorkersAndThoseThatComeLater)
{
	Poller poller;
	Watcher one(poller);
	Watcher other(poller);
	poller.close();
	EXPECT_TRUE(one.comesBack());
	EXPECT_TRUE(other.comesBack());
	EXPECT_EQ(nextOf(poller), Poller::closed);
	EXPECT_EQ(nextOf(poller), Poller::closed);
}

} // namespace
} // namespace issuer::vault::runtime
