#include "agenda_fixture.h"

#include <deque>
#include <gmock/gmock.h>
#include <random>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Chore;
using testing::ElementsAre;

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

TEST_F(AgendaTest, OfTwoThatAreDueTheMoreUrgentComesFirstInWhateverOrderTheyBecameDue)
{
	Job& calm = job();
	Job& urgent = job();
	arm(calm, start, start + 1h);
	arm(urgent, start + 1s, start + 1min);
	agenda.advance(start + 1s);
	EXPECT_EQ(agenda.take(), &urgent);
	EXPECT_EQ(agenda.take(), &calm);
}

TEST_F(AgendaTest, UrgencyCountsAcrossPlaces)
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

TEST_F(AgendaTest, UrgencyCountsHoweverManyAPlaceHasInFlight)
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
	agenda.finished(one, true);
	EXPECT_EQ(agenda.take(), &one);
	agenda.finished(one, true);
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
	agenda.finished(one, true);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, AKeptFlightIsFreeAgainAfterItsJobHasEnded)
{
	due(200, 0, start + 8s);
	takeAll(1);
	agenda.advance(start + 1s);
	takeAll(1);
	agenda.advance(start + 8s);
	Job* overdue = agenda.take();
	ASSERT_NE(overdue, nullptr);
	takeAll(1);
	agenda.finished(*overdue, true);
	EXPECT_NE(agenda.take(), nullptr);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, AJobOfUnknownUrgencyComesFirst)
{
	Job& known = job(1);
	Job& unknown = job(1);
	arm(known, start, start);
	arm(unknown, start, unknownUrgency);
	agenda.advance(start);
	EXPECT_EQ(agenda.take(), &unknown);
	EXPECT_EQ(agenda.take(), &known);
}

TEST_F(AgendaTest, AJobOfUnknownUrgencyIsNeverOverdue)
{
	due(200, 0, unknownUrgency);
	EXPECT_THAT(takeAll(1), ElementsAre(perPlace));
	agenda.advance(start + 1h);
	EXPECT_THAT(takeAll(1), ElementsAre(slots / 2 - perPlace));
}

/// Against the rules themselves, each looked up the slow way.
TEST_F(AgendaTest, ThePlacesKeepTheirLimitsHoweverJobsComeAndGo)
{
	constexpr std::size_t places = 20;
	constexpr std::uint32_t all = 512;
	Agenda many{{all, perPlace, 0}};
	std::deque<test::Chore> jobs;
	std::vector<std::vector<Job*>> running(places);
	std::size_t inFlight = 0;
	std::minstd_rand random(1);
	Instant now = start;
	for (int round = 0; round < 20000; ++round) {
		now += std::chrono::milliseconds(random() % 20);
		const std::size_t place = random() % places;
		if (random() % 3 != 0) {
			many.arm(jobs.emplace_back([] {}, placeNumber(place)), placeNumber(place), now,
				now + std::chrono::seconds(random() % 60));
		}
		else if (!running[place].empty()) {
			many.finished(*running[place].back(), true);
			running[place].pop_back();
			--inFlight;
		}
		many.advance(now);
		while (Job* next = many.take()) {
			const auto* const name = static_cast<const char*>(next->place());
			auto& beside = running[static_cast<std::size_t>(name - static_cast<const char*>(placeNumber(0)))];
			ASSERT_LT(beside.size(), all - inFlight);
			beside.push_back(next);
			++inFlight;
		}
	}
	EXPECT_GT(inFlight, all / 2) << "or this has shown nothing";
}

TEST_F(AgendaTest, TenThousandJobsAreTakenInTheOrderOfTheirUrgency)
{
	Agenda narrow{{1, 1, 0}};
	std::deque<test::Chore> jobs;
	for (std::size_t i = 0; i < 10000; ++i) {
		Job& added = jobs.emplace_back([] {}, placeNumber(i % 7));
		narrow.arm(added, added.place(), start, start + std::chrono::seconds(i * 7919 % 10007));
	}
	narrow.advance(start);
	Instant before = Instant::min();
	int count = 0;
	while (Job* next = narrow.take()) {
		ASSERT_GE(next->notes().urgency, before);
		before = next->notes().urgency;
		narrow.finished(*next, true);
		++count;
	}
	EXPECT_EQ(count, 10000);
}

} // namespace
} // namespace issuer::vault::runtime
