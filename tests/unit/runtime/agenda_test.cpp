#include "runtime/agenda.h"

#include "jobs.h"

#include <array>
#include <deque>
#include <gmock/gmock.h>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Chore;
using testing::ElementsAre;

constexpr Instant start{1h};
constexpr std::uint32_t slots = 64;
constexpr std::uint32_t perLane = 16;

/// A lane's name: any address will do.
const void* laneNumber(std::size_t number)
{
	static const std::array<char, 1000> names{};
	return &names.at(number);
}

class AgendaTest : public testing::Test
{
protected:
	Job& job(std::size_t lane = 0)
	{
		return _jobs.emplace_back([] {}, laneNumber(lane));
	}

	/// `count` jobs of one lane, due now.
	void due(int count, std::size_t lane, Instant urgency)
	{
		for (int i = 0; i < count; ++i) {
			arm(job(lane), start, urgency);
		}
		agenda.advance(start);
	}

	void arm(Job& which, Instant at, Instant urgency) { agenda.arm(which, which.lane(), at, urgency); }

	/// Takes all that may run, and says how many each lane has got.
	std::vector<int> takeAll(std::size_t lanes)
	{
		std::vector<int> taken(lanes);
		while (Job* next = agenda.take()) {
			for (std::size_t lane = 0; lane < lanes; ++lane) {
				taken[lane] += next->lane() == laneNumber(lane) ? 1 : 0;
			}
		}
		return taken;
	}

	Agenda agenda{slots, perLane};

private:
	std::deque<Chore> _jobs;
};

TEST_F(AgendaTest, HasNothingToDoAtFirst)
{
	EXPECT_FALSE(agenda.nextDue());
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, AJobIsTakenOnceItsTimeHasCome)
{
	Job& one = job();
	arm(one, start + 1s, start);
	agenda.advance(start + 999999us);
	EXPECT_EQ(agenda.take(), nullptr);
	agenda.advance(start + 1s);
	EXPECT_EQ(agenda.take(), &one);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, TheNextTimeIsTheEarliest)
{
	arm(job(), start + 3s, start);
	Job& first = job();
	arm(first, start + 1s, start);
	arm(job(), start + 2s, start);
	EXPECT_EQ(agenda.nextDue(), start + 1s);
	agenda.disarm(first);
	EXPECT_EQ(agenda.nextDue(), start + 2s);
}

TEST_F(AgendaTest, AnotherTimeTakesThePlaceOfTheOneBefore)
{
	Job& one = job();
	arm(one, start + 1s, start);
	arm(one, start + 5s, start);
	agenda.advance(start + 4s);
	EXPECT_EQ(agenda.take(), nullptr);
	arm(one, start + 4s, start);
	agenda.advance(start + 4s);
	EXPECT_EQ(agenda.take(), &one);
}

TEST_F(AgendaTest, AJobThatIsDueCanStillBePutOff)
{
	Job& one = job();
	arm(one, start, start);
	agenda.advance(start);
	arm(one, start + 1s, start);
	EXPECT_EQ(agenda.take(), nullptr);
	EXPECT_EQ(agenda.nextDue(), start + 1s);
}

TEST_F(AgendaTest, ADisarmedJobIsNotTaken)
{
	Job& waiting = job();
	Job& ready = job();
	arm(ready, start, start);
	arm(waiting, start + 1s, start);
	agenda.advance(start);
	agenda.disarm(ready);
	agenda.disarm(waiting);
	agenda.advance(start + 1h);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, OfTwoThatAreDueTheMoreUrgentComesFirstWhoeverWasDueBefore)
{
	Job& calm = job();
	Job& urgent = job();
	arm(calm, start, start + 1h);
	arm(urgent, start + 1s, start + 1min);
	agenda.advance(start + 1s);
	EXPECT_EQ(agenda.take(), &urgent);
	EXPECT_EQ(agenda.take(), &calm);
}

TEST_F(AgendaTest, UrgencyCountsAcrossLanes)
{
	Job& third = job(1);
	Job& first = job(2);
	Job& second = job(1);
	arm(third, start, start + 3min);
	arm(first, start, start + 1min);
	arm(second, start, start + 2min);
	agenda.advance(start);
	EXPECT_EQ(agenda.take(), &first);
	EXPECT_EQ(agenda.take(), &second);
	EXPECT_EQ(agenda.take(), &third);
}

TEST_F(AgendaTest, UrgencyCountsHoweverManyALaneHasInFlight)
{
	Job& first = job(1);
	Job& second = job(1);
	Job& third = job(2);
	arm(first, start, start + 1min);
	arm(second, start, start + 2min);
	arm(third, start, start + 3min);
	agenda.advance(start);
	EXPECT_EQ(agenda.take(), &first);
	EXPECT_EQ(agenda.take(), &second);
	EXPECT_EQ(agenda.take(), &third);
}

TEST_F(AgendaTest, EquallyUrgentJobsComeInTheOrderOfTheirTimes)
{
	Job& second = job();
	Job& first = job();
	arm(second, start + 2us, Instant::max());
	agenda.advance(start + 1s);
	arm(first, start + 1us, Instant::max());
	agenda.advance(start + 1s);
	EXPECT_EQ(agenda.take(), &first);
	EXPECT_EQ(agenda.take(), &second);
}

TEST_F(AgendaTest, ArmedWhileItRunsAJobRunsAgainAfterAndNeverTwiceAtOnce)
{
	Job& one = job();
	arm(one, start, start);
	agenda.advance(start);
	ASSERT_EQ(agenda.take(), &one);
	arm(one, start, start);
	agenda.advance(start);
	EXPECT_EQ(agenda.take(), nullptr);
	agenda.finished(one);
	EXPECT_EQ(agenda.take(), &one);
	agenda.finished(one);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, DisarmedWhileItRunsAJobDoesNotRunAgain)
{
	Job& one = job();
	arm(one, start, start);
	agenda.advance(start);
	ASSERT_EQ(agenda.take(), &one);
	arm(one, start, start);
	agenda.advance(start);
	agenda.disarm(one);
	agenda.finished(one);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, AJobMayChangeItsLane)
{
	due(perLane, 1, start);
	takeAll(1);
	Job& one = job();
	agenda.arm(one, laneNumber(1), start, start);
	agenda.advance(start);
	ASSERT_EQ(agenda.take(), nullptr) << "this lane is full";
	agenda.arm(one, laneNumber(2), start, start);
	agenda.advance(start);
	EXPECT_EQ(agenda.take(), &one);
}

TEST_F(AgendaTest, OneLaneHasABoundedNumberInFlight)
{
	due(100, 0, start);
	EXPECT_THAT(takeAll(1), ElementsAre(perLane));
}

TEST_F(AgendaTest, AFullLaneMovesOnAsItsJobsEnd)
{
	due(100, 0, start);
	Job* first = agenda.take();
	takeAll(1);
	agenda.finished(*first);
	EXPECT_NE(agenda.take(), nullptr);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, AFullLaneDoesNotKeepLessUrgentJobsOfOthersFromRunning)
{
	due(100, 0, start);
	due(5, 1, start + 1h);
	EXPECT_THAT(takeAll(2), ElementsAre(perLane, 5));
}

TEST_F(AgendaTest, HoweverManyLanesHangTheOthersFindFreeSlots)
{
	for (const std::size_t hanging : {1U, 3U, 4U, 10U, 30U, 60U}) {
		Agenda fresh{slots, perLane};
		std::deque<Chore> jobs;
		const auto fill = [&](std::size_t lane, int count, Instant urgency) {
			for (int i = 0; i < count; ++i) {
				Job& added = jobs.emplace_back([] {}, laneNumber(lane));
				fresh.arm(added, added.lane(), start, urgency);
			}
			fresh.advance(start);
		};
		for (std::size_t lane = 1; lane <= hanging; ++lane) {
			fill(lane, 100, start);
		}
		while (fresh.take() != nullptr) {
		}
		fill(0, 100, start + 1h); // a live server, whose tokens can wait longer
		EXPECT_NE(fresh.take(), nullptr) << hanging << " hang";
	}
}

TEST_F(AgendaTest, SlotsAreSharedEvenlyAmongLanesThatWantMoreThanThereAre)
{
	for (std::size_t lane = 0; lane < 8; ++lane) {
		due(100, lane, start);
	}
	for (const int taken : takeAll(8)) {
		EXPECT_GE(taken, 6);
		EXPECT_LE(taken, 8);
	}
}

TEST_F(AgendaTest, TenThousandJobsAreTakenInTheOrderOfTheirUrgency)
{
	Agenda narrow{1, 1};
	std::deque<Chore> jobs;
	for (std::size_t i = 0; i < 10000; ++i) {
		Job& added = jobs.emplace_back([] {}, laneNumber(i % 7));
		narrow.arm(added, added.lane(), start, start + std::chrono::seconds(i * 7919 % 10007));
	}
	narrow.advance(start);
	Instant before = Instant::min();
	int count = 0;
	while (Job* next = narrow.take()) {
		ASSERT_GE(next->notes().urgency, before);
		before = next->notes().urgency;
		narrow.finished(*next);
		++count;
	}
	EXPECT_EQ(count, 10000);
}

} // namespace
} // namespace issuer::vault::runtime
