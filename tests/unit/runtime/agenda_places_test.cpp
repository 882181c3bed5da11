#include "agenda_fixture.h"

#include <deque>
#include <gmock/gmock.h>

/// The limits of a place, the slots that all places share, and jobs that may wait no longer.
namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Chore;
using testing::ElementsAre;

TEST_F(AgendaTest, AJobMayChangeItsPlace)
{
	due(perPlace, 1);
	takeAll(1);
	Job& one = job();
	agenda.arm(one, placeNumber(1), start, longLife);
	agenda.advance(start);
	ASSERT_EQ(agenda.take(), nullptr) << "this place is full";
	agenda.arm(one, placeNumber(2), start, longLife);
	agenda.advance(start);
	EXPECT_EQ(agenda.take(), &one);
}

TEST_F(AgendaTest, OnePlaceHasABoundedNumberInFlight)
{
	due(100, 0);
	EXPECT_THAT(takeAll(1), ElementsAre(perPlace));
}

TEST_F(AgendaTest, AFullPlaceMovesOnAsItsJobsEnd)
{
	due(100, 0);
	Job* first = agenda.take();
	takeAll(1);
	agenda.finished(*first, true);
	EXPECT_NE(agenda.take(), nullptr);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, AFullPlaceDoesNotKeepLessUrgentJobsOfOthersFromRunning)
{
	due(100, 0);
	due(5, 1, longLife + 1h);
	EXPECT_THAT(takeAll(2), ElementsAre(perPlace, 5));
}

TEST_F(AgendaTest, BehindHangingJobsOfItsPlaceAJobWaitsForAnEighthOfItsLife)
{
	due(perPlace, 0);
	takeAll(1);
	Job& urgent = job(0);
	arm(urgent, start, start + 4s);
	agenda.advance(start);
	ASSERT_EQ(agenda.take(), nullptr);
	EXPECT_EQ(agenda.nextDue(), start + 500ms) << "so that a worker looks";
	agenda.advance(start + 499ms);
	ASSERT_EQ(agenda.take(), nullptr);
	agenda.advance(start + 500ms);
	EXPECT_EQ(agenda.take(), &urgent);
}

TEST_F(AgendaTest, HoweverLongItsLifeAJobWaitsForAHangingPlaceNoLongerThanTwoSeconds)
{
	for (const Instant urgency : {longLife, Instant::max(), unknownUrgency}) {
		Agenda fresh{{slots, perPlace, kept}};
		std::deque<test::Chore> jobs;
		for (std::uint32_t i = 0; i <= perPlace; ++i) {
			fresh.arm(jobs.emplace_back([] {}), nullptr, start, urgency);
		}
		fresh.advance(start);
		for (std::uint32_t i = 0; i < perPlace; ++i) {
			ASSERT_NE(fresh.take(), nullptr);
		}
		fresh.advance(start + 1999ms);
		EXPECT_EQ(fresh.take(), nullptr);
		fresh.advance(start + 2s);
		EXPECT_NE(fresh.take(), nullptr);
	}
}

/// However long it takes: more requests would only wait at the server, in an order that is not that of their urgency.
TEST_F(AgendaTest, APlaceThatAnswersSlowlyDoesNotExceedItsLimit)
{
	due(1000, 0);
	std::deque<Job*> running;
	std::size_t most = 0;
	for (int i = 0; i < 1000; ++i) {
		while (Job* next = agenda.take()) {
			running.push_back(next);
		}
		most = std::max(most, running.size());
		agenda.advance(start + i * 900ms);
		agenda.finished(*running.front(), true);
		running.pop_front();
	}
	EXPECT_EQ(most, perPlace);
	EXPECT_TRUE(running.empty());
}

TEST_F(AgendaTest, RunsThatEndWithoutAnAnswerAreNoProgress)
{
	due(perPlace, 0);
	Job* hanging = agenda.take();
	takeAll(1);
	for (int i = 0; i < 3; ++i) {
		arm(job(0), start, start + 40s);
	}
	agenda.advance(start + 1999ms);
	agenda.finished(*hanging, false);
	ASSERT_THAT(takeAll(1), ElementsAre(1)) << "in the slot that is free now";
	agenda.advance(start + 2s);
	EXPECT_THAT(takeAll(1), ElementsAre(2));
}

TEST_F(AgendaTest, TheLessOfItsLifeIsLeftTheSoonerItsPlaceMustAnswer)
{
	due(40, 0, start + 3900ms); // more urgent ones, that get the slots that become free
	std::deque<Job*> running;
	while (Job* next = agenda.take()) {
		running.push_back(next);
	}
	Job& last = job(0);
	arm(last, start, start + 4s);
	for (Duration at = 200ms; at < 4s; at += 200ms) {
		agenda.advance(start + at - 1us);
		while (Job* next = agenda.take()) {
			running.push_back(next);
			if (next == &last) {
				EXPECT_GT(at, 2400ms) << "an eighth of what is left is more than 200 ms";
				EXPECT_LT(at, 3000ms);
				return;
			}
		}
		agenda.advance(start + at);
		agenda.finished(*running.front(), true);
		running.pop_front();
	}
	FAIL() << "it still waits";
}

TEST_F(AgendaTest, APlaceThatAnswersAgainKeepsItsLimitAgain)
{
	due(100, 0);
	Job* first = agenda.take();
	takeAll(1);
	agenda.advance(start + 2s);
	ASSERT_NE(agenda.take(), nullptr) << "it hangs";
	agenda.advance(start + 2500ms);
	agenda.finished(*first, true);
	agenda.advance(start + 4s);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, OfAPlaceThatExceedsItsLimitTheMostUrgentJobsRunFirst)
{
	due(perPlace, 0);
	takeAll(1);
	Job& patient = job(0);
	Job& urgent = job(0);
	arm(patient, start, longLife);
	arm(urgent, start + 950ms, start + 1h);
	agenda.advance(start + 2s);
	EXPECT_EQ(agenda.take(), &urgent);
	EXPECT_EQ(agenda.take(), &patient);
}

TEST_F(AgendaTest, AJobThatIsPutOffTakesItsImpatienceWithIt)
{
	due(perPlace, 0);
	takeAll(1);
	Job& one = job(0);
	arm(one, start, start + 4s);
	arm(job(0), start, longLife);
	agenda.advance(start + 500ms);
	arm(one, start + 2s, longLife);
	EXPECT_EQ(agenda.take(), nullptr);
	agenda.disarm(one);
	agenda.advance(start + 999ms);
	EXPECT_EQ(agenda.take(), nullptr);
}

TEST_F(AgendaTest, ADeadServerLeavesHalfOfTheSlotsHoweverManyJobsWaitForIt)
{
	due(130, 0, start + 4s); // of one place, whatever their settings
	takeAll(1);
	agenda.advance(start + 1s);
	takeAll(1);
	due(100, 1);
	agenda.advance(start + 1s);
	EXPECT_THAT(takeAll(2), ElementsAre(0, perPlace));
}

TEST_F(AgendaTest, TheLimitOfAPlaceThatHangsGrowsLittleByLittle)
{
	Agenda many{{4096, perPlace, kept}};
	std::deque<test::Chore> jobs;
	for (int i = 0; i < 10000; ++i) {
		many.arm(jobs.emplace_back([] {}), nullptr, start, longLife);
	}
	std::uint32_t taken = 0;
	for (std::uint32_t look = 0; look < 60; ++look) {
		many.advance(start + look * Agenda::lookEvery);
		while (many.take() != nullptr) {
			++taken;
		}
		EXPECT_EQ(taken, perPlace * std::min(look + 1, 8U));
	}
}

TEST_F(AgendaTest, HoweverManyPlacesHangTheOthersFindFreeSlots)
{
	for (const std::uint32_t all : {32U, slots, 256U, 4096U}) {
		for (const std::size_t hanging : {1U, 3U, 4U, 10U, 30U}) {
			Agenda fresh{{all, perPlace, kept}};
			std::deque<test::Chore> jobs;
			const auto fill = [&](std::size_t place, std::uint32_t count, Instant urgency) {
				for (std::uint32_t i = 0; i < count; ++i) {
					Job& added = jobs.emplace_back([] {}, placeNumber(place));
					fresh.arm(added, added.place(), start, urgency);
				}
				fresh.advance(start + 1s);
			};
			for (std::size_t place = 1; place <= hanging; ++place) {
				fill(place, all, start + 4s);
			}
			while (fresh.take() != nullptr) {
			}
			fill(0, 100, longLife); // of a live server, and less urgent
			EXPECT_NE(fresh.take(), nullptr) << hanging << " hang, of " << all << " slots";
		}
	}
}

TEST_F(AgendaTest, SlotsAreSharedEvenlyAmongPlacesThatWantMoreThanThereAre)
{
	for (std::size_t place = 0; place < 8; ++place) {
		due(100, place);
	}
	for (const int taken : takeAll(8)) {
		EXPECT_GE(taken, 6);
		EXPECT_LE(taken, 8);
	}
}

/// Its token may be dead: its owner is to hear of it, whatever hangs.
TEST_F(AgendaTest, AJobWhoseUrgencyHasPassedNeedsNoSlot)
{
	due(200, 0, start + 8s);
	takeAll(1);
	agenda.advance(start + 1s);
	takeAll(1);
	agenda.advance(start + 7999ms);
	ASSERT_EQ(agenda.take(), nullptr);
	ASSERT_EQ(agenda.nextDue(), start + 8s) << "so that a worker looks";
	agenda.advance(start + 8s);
	EXPECT_THAT(takeAll(1), ElementsAre(kept));
}

} // namespace
} // namespace issuer::vault::runtime
