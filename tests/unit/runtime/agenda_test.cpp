#include "runtime/agenda.h"

#include "jobs.h"

#include <array>
#include <deque>
#include <gmock/gmock.h>
#include <random>

namespace issuer::vault::runtime {
namespace {

using namespace std::chrono_literals;
using test::Chore;
using testing::ElementsAre;

constexpr Instant start{1h};
constexpr std::uint32_t slots = 64;
constexpr std::uint32_t perPlace = 16;
constexpr std::uint32_t kept = 8;
constexpr Instant longLife = start + 24h;

/// A place's name: any address will do.
const void* placeNumber(std::size_t number)
{
	static const std::array<char, 1000> names{};
	return &names.at(number);
}

class AgendaTest : public testing::Test
{
protected:
	Job& job(std::size_t place = 0)
	{
		return _jobs.emplace_back([] {}, placeNumber(place));
	}

	/// Makes `count` jobs of one place due now.
	void due(int count, std::size_t place, Instant urgency = longLife)
	{
		for (int i = 0; i < count; ++i) {
			arm(job(place), start, urgency);
		}
		agenda.advance(start);
	}

	void arm(Job& which, Instant at, Instant urgency) { agenda.arm(which, which.place(), at, urgency); }

	/// Takes all that may run, and returns how many of each place.
	std::vector<int> takeAll(std::size_t places)
	{
		std::vector<int> taken(places);
		while (Job* next = agenda.take()) {
			for (std::size_t place = 0; place < places; ++place) {
				taken[place] += next->place() == placeNumber(place) ? 1 : 0;
			}
		}
		return taken;
	}

	Agenda agenda{{slots, perPlace, kept}};

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
		std::deque<Chore> jobs;
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
	std::deque<Chore> jobs;
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
			std::deque<Chore> jobs;
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
TEST_F(AgendaTest, WhateverComesAndGoesThePlacesKeepTheirLimits)
{
	constexpr std::size_t places = 20;
	constexpr std::uint32_t all = 512;
	Agenda many{{all, perPlace, 0}};
	std::deque<Chore> jobs;
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
	std::deque<Chore> jobs;
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
