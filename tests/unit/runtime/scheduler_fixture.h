#pragma once

#include "jobs.h"
#include "runtime/work_scheduler.h"
#include "virtual_time.h"

#include <gtest/gtest.h>

namespace issuer::vault::runtime::test {

using namespace std::chrono_literals;

constexpr Instant anyUrgency{};

/// The scheduler in virtual time. It notices stuck workers soon, and lets no worker exit.
class SchedulerTest : public testing::Test
{
protected:
	~SchedulerTest() override { scheduler.close(); }

	void runNow(Job& job) { scheduler.arm(job, time.in(0s), anyUrgency); }

	static WorkScheduler::Options options()
	{
		WorkScheduler::Options options;
		options.idle = 1h;
		options.alarmPause = 0s;
		options.cancelPause = 0s;
		options.busy = 2;
		options.stuckAfter = 1ms;
		return options;
	}

	test::VirtualTime time;
	WorkScheduler scheduler{time, time, options()};
};

} // namespace issuer::vault::runtime::test
