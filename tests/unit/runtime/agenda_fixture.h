#pragma once

#include "jobs.h"
#include "runtime/agenda.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <gtest/gtest.h>
#include <vector>

namespace issuer::vault::runtime {

/// The beginning of virtual time, the limits of the agenda, and an end that is far away.
constexpr Instant start{std::chrono::hours(1)};
constexpr std::uint32_t slots = 64;
constexpr std::uint32_t perPlace = 16;
constexpr std::uint32_t kept = 8;
constexpr Instant longLife = start + std::chrono::hours(24);

/// A place's name: any address will do.
inline const void* placeNumber(std::size_t number)
{
	static const std::array<char, 1000> names{};
	return &names.at(number);
}

/// An agenda, and jobs for it.
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
	std::deque<test::Chore> _jobs;
};

} // namespace issuer::vault::runtime
