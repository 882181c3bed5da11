#include "handover.h"

#include <gtest/gtest.h>

namespace issuer::vault {
namespace {

using namespace renewal;

/// Each number another than the next, and none of them the one that a Memory begins with.
struct Numbers
{
	std::int64_t last = 1'000;

	Instant moment() { return Instant(Duration(++last)); }
	Duration time() { return Duration(++last); }
	template <class T>
	T count()
	{
		return static_cast<T>(++last);
	}
};

Memory full()
{
	Numbers next;
	Memory memory;
	auto& lease = memory.lease;
	lease.end = Lease::End::never;
	lease.earliest = next.moment();
	lease.latest = next.moment();
	lease.ifRenewedEarliest = next.moment();
	lease.ifRenewedLatest = next.moment();
	lease.granted = next.time();
	lease.full = next.time();
	lease.maxTtlEnd = next.moment();
	lease.maxTtlWithin = next.time();
	lease.maxTtlReached = true;
	auto& retry = memory.retry;
	retry.asOf = next.moment();
	retry.atOnce = true;
	retry.notBefore = next.moment();
	retry.kind = Failing::dead;
	retry.reason = Reason::credentialUnreadable;
	retry.streak = next.count<std::uint32_t>();
	retry.failures = next.count<std::uint32_t>();
	retry.failingSince = next.moment();
	retry.refusals = next.count<std::uint32_t>();
	retry.useless = next.count<std::uint32_t>();
	retry.renewNext = true;
	memory.owed = Owed::remains;
	memory.accepted = true;
	memory.death = Reason::credentialUnreadable;
	memory.unrenewable = Reason::credentialUnreadable;
	memory.latency.recent = next.time();
	memory.started = next.moment();
	auto& told = memory.told;
	told.bound = Reason::credentialUnreadable;
	told.failing = true;
	told.notesUnspent = next.count<std::int32_t>();
	told.notesCounted = next.moment();
	told.successes = next.count<std::uint64_t>();
	told.failures = next.count<std::uint64_t>();
	told.notRenewables = next.count<std::uint64_t>();
	told.lastSuccess = next.moment();
	return memory;
}

#define EXPECT_CAME_THROUGH(field) EXPECT_EQ(after.field, before.field)

TEST(AHandover, LosesNoFieldOfTheMemory)
{
	const Memory before = full();
	const auto handedOver = handoverFrom(toText({before, "a mark"}));
	ASSERT_TRUE(handedOver) << handedOver.error().text;
	EXPECT_EQ(handedOver->tokenMark, "a mark");
	const Memory& after = handedOver->memory;
	EXPECT_CAME_THROUGH(lease.end);
	EXPECT_CAME_THROUGH(lease.earliest);
	EXPECT_CAME_THROUGH(lease.latest);
	EXPECT_CAME_THROUGH(lease.ifRenewedEarliest);
	EXPECT_CAME_THROUGH(lease.ifRenewedLatest);
	EXPECT_CAME_THROUGH(lease.granted);
	EXPECT_CAME_THROUGH(lease.full);
	EXPECT_CAME_THROUGH(lease.maxTtlEnd);
	EXPECT_CAME_THROUGH(lease.maxTtlWithin);
	EXPECT_CAME_THROUGH(lease.maxTtlReached);
	EXPECT_CAME_THROUGH(retry.asOf);
	EXPECT_CAME_THROUGH(retry.atOnce);
	EXPECT_CAME_THROUGH(retry.notBefore);
	EXPECT_CAME_THROUGH(retry.kind);
	EXPECT_CAME_THROUGH(retry.reason);
	EXPECT_CAME_THROUGH(retry.streak);
	EXPECT_CAME_THROUGH(retry.failures);
	EXPECT_CAME_THROUGH(retry.failingSince);
	EXPECT_CAME_THROUGH(retry.refusals);
	EXPECT_CAME_THROUGH(retry.useless);
	EXPECT_CAME_THROUGH(retry.renewNext);
	EXPECT_CAME_THROUGH(owed);
	EXPECT_CAME_THROUGH(accepted);
	EXPECT_CAME_THROUGH(death);
	EXPECT_CAME_THROUGH(unrenewable);
	EXPECT_CAME_THROUGH(latency.recent);
	EXPECT_CAME_THROUGH(started);
	EXPECT_CAME_THROUGH(told.bound);
	EXPECT_CAME_THROUGH(told.failing);
	EXPECT_CAME_THROUGH(told.notesUnspent);
	EXPECT_CAME_THROUGH(told.notesCounted);
	EXPECT_CAME_THROUGH(told.successes);
	EXPECT_CAME_THROUGH(told.failures);
	EXPECT_CAME_THROUGH(told.notRenewables);
	EXPECT_CAME_THROUGH(told.lastSuccess);
}

} // namespace
} // namespace issuer::vault
