#include "common/spool.h"

#include <csignal>
#include <gmock/gmock.h>
#include <memory>
#include <numeric>
#include <semaphore>
#include <stdexcept>
#include <vector>

namespace issuer {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Pair;

/// Takes its time: each offer waits until it is let go.
class SlowWriter
{
public:
	/// The result of an offer.
	enum class Answer
	{
		takes,
		refuses,
		throws,
	};
	using Numbers = std::vector<int>;

	/// `answers` in their order; it takes whatever comes after them.
	explicit SlowWriter(std::deque<Answer> answers = {}) : _answers(std::move(answers)) {}

	bool operator()(const std::deque<int>& items, std::uint64_t dropped)
	{
		offers.emplace_back(Numbers(items.begin(), items.end()), dropped);
		_offered.release();
		EXPECT_TRUE(_go.try_acquire_for(30s));
		const Answer answer = _answers.empty() ? Answer::takes : _answers.front();
		if (!_answers.empty()) {
			_answers.pop_front();
		}
		return answer == Answer::throws ? throw std::runtime_error("no") : answer == Answer::takes;
	}

	void awaitOffer() { EXPECT_TRUE(_offered.try_acquire_for(30s)); }
	void letGo(int times = 1'000) { _go.release(times); }

	std::vector<std::pair<Numbers, std::uint64_t>> offers; ///< with how many were dropped

private:
	std::deque<Answer> _answers;
	std::counting_semaphore<> _offered{0};
	std::counting_semaphore<> _go{0};
};

using Answer = SlowWriter::Answer;

TEST(Spool, HasAllThatWasAddedInItsOrderWhenItIsClosedAndNothingLater)
{
	std::vector<int> taken;
	Spool<int> spool({}, [&](const std::deque<int>& items, std::uint64_t dropped) {
		taken.insert(taken.end(), items.begin(), items.end());
		return dropped == 0;
	});
	std::vector<int> added(1'000);
	std::iota(added.begin(), added.end(), 0);
	for (const int item : added) {
		spool.add(item);
	}
	spool.close();
	spool.add(1'000);
	spool.close();
	EXPECT_EQ(taken, added);
}

TEST(Spool, DropsTheNewestBeyondItsBoundAndTellsHowMany)
{
	SlowWriter writer;
	Spool<int> spool({2}, std::ref(writer));
	spool.add(0);
	writer.awaitOffer(); // which waits no more
	for (const int item : {1, 2, 3, 4}) {
		spool.add(item);
	}
	writer.letGo();
	spool.close();
	EXPECT_THAT(writer.offers, ElementsAre(Pair(ElementsAre(0), 0), Pair(ElementsAre(1, 2), 2)));
}

TEST(Spool, LosesWhatIsRefusedIfNothingIsTriedAgain)
{
	SlowWriter writer({Answer::refuses, Answer::throws});
	Spool<int> spool({}, std::ref(writer));
	for (const int item : {0, 1, 2}) {
		spool.add(item);
		writer.awaitOffer();
		writer.letGo(1);
	}
	spool.close();
	EXPECT_THAT(writer.offers, ElementsAre(Pair(ElementsAre(0), 0), Pair(ElementsAre(1), 0), Pair(ElementsAre(2), 0)));
}

TEST(Spool, OffersWhatIsRefusedAgainAndCountsItAsWaiting)
{
	for (const Answer answer : {Answer::refuses, Answer::throws}) {
		SlowWriter writer({answer, answer});
		Spool<int> spool({2, 1ms}, std::ref(writer));
		spool.add(0);
		writer.awaitOffer();
		for (const int item : {1, 2, 3}) {
			spool.add(item);
		}
		writer.letGo();
		writer.awaitOffer();
		writer.awaitOffer();
		spool.close();
		EXPECT_THAT(writer.offers,
			ElementsAre(Pair(ElementsAre(0), 0), Pair(ElementsAre(0, 1), 2), Pair(ElementsAre(0, 1), 2)));
	}
}

TEST(Spool, TellsOfTheDroppedAlsoWhenNothingElseIsLeftToOffer)
{
	SlowWriter writer;
	Spool<int> spool({1, 1ms}, std::ref(writer));
	spool.add(0);
	writer.awaitOffer(); // and counts until it is taken
	spool.add(1);
	spool.add(2);
	writer.letGo();
	spool.close();
	EXPECT_THAT(writer.offers, ElementsAre(Pair(ElementsAre(0), 0), Pair(ElementsAre(), 2)));
}

TEST(Spool, OffersOnceMoreWhenItIsClosedAndThenGivesUp)
{
	SlowWriter writer({Answer::refuses, Answer::refuses});
	Spool<int> spool({10, 24h}, std::ref(writer));
	spool.add(0);
	writer.awaitOffer();
	writer.letGo();
	spool.close();
	EXPECT_THAT(writer.offers, ElementsAre(Pair(ElementsAre(0), 0), Pair(ElementsAre(0), 0)));
}

TEST(Spool, TellsAWriterThatWaitsWhenItMayGiveUp)
{
	std::vector<int> offered;
	std::binary_semaphore waits{0};
	std::unique_ptr<Spool<int>> spool; // which its writer asks
	spool = std::make_unique<Spool<int>>(Spool<int>::Terms{}, [&](const std::deque<int>& items, std::uint64_t) {
		offered.insert(offered.end(), items.begin(), items.end());
		waits.release();
		while (!spool->closing()) {
			std::this_thread::yield();
		}
		return false;
	});
	EXPECT_FALSE(spool->closing());
	spool->add(0);
	EXPECT_TRUE(waits.try_acquire_for(30s));
	spool->add(1);
	spool->close();
	EXPECT_THAT(offered, ElementsAre(0));
}

TEST(Spool, WritesWhereNoSignalArrivesAndLeavesTheMaskOfItsMakerAsItWas)
{
	sigset_t before;
	sigset_t during;
	sigset_t after;
	::sigemptyset(&during);
	::pthread_sigmask(SIG_SETMASK, nullptr, &before);
	Spool<int> spool({},
		[&](const std::deque<int>&, std::uint64_t) { return ::pthread_sigmask(SIG_SETMASK, nullptr, &during) == 0; });
	::pthread_sigmask(SIG_SETMASK, nullptr, &after);
	spool.add(0);
	spool.close();
	for (const int signal : {SIGPIPE, SIGXFSZ, SIGTERM, SIGHUP}) {
		EXPECT_EQ(::sigismember(&during, signal), 1) << signal;
		EXPECT_EQ(::sigismember(&after, signal), ::sigismember(&before, signal)) << signal;
	}
}

} // namespace
} // namespace issuer
