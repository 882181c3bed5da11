#include "handover.h"

#include <gtest/gtest.h>

namespace issuer::vault {
namespace {

using namespace renewal;
using namespace std::chrono_literals;

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

#if defined(__LP64__)
// A field came or went: hand it over (handover_login.cpp) or say there why not, and fill it in below.
static_assert(sizeof(LoginMemory) == 936);
static_assert(sizeof(LoginMaterial) == 80);
static_assert(sizeof(LoginRetry) == 48);
static_assert(sizeof(TokenLife) == 64);
static_assert(sizeof(NewToken) == 112);
static_assert(sizeof(LoginBudget::Row) == 72);
static_assert(sizeof(LoginBudget::Material) == 16);
#endif

LoginHandover fullOfLogins()
{
	Numbers next;
	LoginHandover handover;
	auto& memory = handover.memory;
	const auto mark = [&] { return 0xf000'0000'0000'0000U + next.count<std::uint64_t>(); };
	const auto wall = [&] { return WallTime(next.time()); };
	memory.asOf = next.moment();
	memory.started = next.moment();
	memory.latency = next.time();
	memory.wanted = true;
	memory.emptyFirst = true;
	memory.heldUntil = next.moment();
	memory.material.usable = true;
	memory.material.mark = mark();
	memory.material.identityMark = mark();
	memory.material.ends = wall();
	memory.material.refreshed = true;
	memory.material.wrapped = true;
	memory.materialAt = next.moment();
	memory.secretEnds = wall();
	memory.usesLeft = next.count<std::int64_t>();
	memory.lookUpForbidden = true;
	memory.lookUpDue = true;
	memory.wrapLookedUp = mark();
	memory.wrapHeld = mark();
	memory.wrapsSpent = {mark(), mark()};
	auto& life = memory.life;
	life.standing = TokenLife::Standing::ended;
	life.state = State::expired;
	life.reason = Reason::loginEnds;
	life.accepted = true;
	life.forEver = true;
	life.renewable = false;
	life.expiry = next.moment();
	life.maxTtlEnd = next.moment();
	life.lease = next.time();
	life.capped = true;
	memory.tookUse = next.moment();
	memory.standingSince = next.moment();
	memory.fullLease = next.time();
	auto& inUse = memory.inUse.emplace();
	inUse.sent = next.moment();
	inUse.answered = next.moment();
	inUse.facts = {next.time(), false, true, true, next.count<std::int64_t>(), "web", {"default", "web"}};
	inUse.mark = mark();
	inUse.identity = mark();
	memory.usedMark = mark();
	memory.usedIdentity = mark();
	memory.learnedLife = next.time();
	memory.livesSinceLearned = next.count<std::uint32_t>();
	auto& retry = memory.retry;
	retry.kind = LoginRetry::Kind::spent;
	retry.reason = Reason::loginEnds;
	retry.streak = next.count<std::uint32_t>();
	retry.failures = next.count<std::uint32_t>();
	retry.asOf = next.moment();
	retry.since = next.moment();
	retry.notBefore = next.moment();
	retry.lost = true;
	memory.earlyDeaths = next.count<std::uint32_t>();
	memory.successes = next.count<std::uint64_t>();
	memory.failures = next.count<std::uint64_t>();
	memory.endsTold = wall();
	memory.heldTold = true;
	memory.failing = true;
	memory.notesUnspent = next.count<std::int32_t>();
	memory.notesCounted = next.moment();
	auto& tries = handover.tries;
	tries.refusals = next.count<unsigned>();
	tries.silent = true;
	tries.latestRefusal = next.moment();
	tries.materials[mark()] = {next.count<unsigned>(), next.count<unsigned>(), 0, true};
	tries.materials[mark()] = {next.count<unsigned>(), 0, 0, false};
	return handover;
}

#define EXPECT_CAME_THROUGH(field) EXPECT_EQ(after.field, before.field)

TEST(AHandover, LosesNoFieldOfTheMemory)
{
	const Memory before = full();
	const auto handedOver = handoverFrom(toText({before, "a mark", nullptr, currentBoot()}));
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

TEST(AHandover, LosesNoFieldOfTheLogins)
{
	const auto all = fullOfLogins();
	const auto handedOver =
		handoverFrom(toText({full(), "a mark", std::make_unique<LoginHandover>(all), currentBoot()}));
	ASSERT_TRUE(handedOver) << handedOver.error().text;
	ASSERT_TRUE(handedOver->login);
	EXPECT_EQ(handedOver->login->tries, all.tries);
	const auto& before = all.memory;
	const auto& after = handedOver->login->memory;
	EXPECT_CAME_THROUGH(asOf);
	EXPECT_CAME_THROUGH(started);
	EXPECT_CAME_THROUGH(latency);
	EXPECT_CAME_THROUGH(wanted);
	EXPECT_CAME_THROUGH(emptyFirst);
	EXPECT_CAME_THROUGH(heldUntil);
	EXPECT_CAME_THROUGH(material.usable);
	EXPECT_CAME_THROUGH(material.mark);
	EXPECT_CAME_THROUGH(material.identityMark);
	EXPECT_CAME_THROUGH(material.ends);
	EXPECT_CAME_THROUGH(material.refreshed);
	EXPECT_CAME_THROUGH(material.wrapped);
	EXPECT_CAME_THROUGH(materialAt);
	EXPECT_CAME_THROUGH(secretEnds);
	EXPECT_CAME_THROUGH(usesLeft);
	EXPECT_CAME_THROUGH(lookUpForbidden);
	EXPECT_CAME_THROUGH(lookUpDue);
	EXPECT_CAME_THROUGH(wrapLookedUp);
	EXPECT_CAME_THROUGH(wrapHeld);
	EXPECT_CAME_THROUGH(wrapsSpent);
	EXPECT_CAME_THROUGH(life);
	EXPECT_CAME_THROUGH(tookUse);
	EXPECT_CAME_THROUGH(standingSince);
	EXPECT_CAME_THROUGH(fullLease);
	ASSERT_TRUE(after.inUse);
	EXPECT_CAME_THROUGH(inUse->sent);
	EXPECT_CAME_THROUGH(inUse->answered);
	EXPECT_CAME_THROUGH(inUse->facts);
	EXPECT_CAME_THROUGH(inUse->mark);
	EXPECT_CAME_THROUGH(inUse->identity);
	EXPECT_CAME_THROUGH(usedMark);
	EXPECT_CAME_THROUGH(usedIdentity);
	EXPECT_CAME_THROUGH(learnedLife);
	EXPECT_CAME_THROUGH(livesSinceLearned);
	EXPECT_CAME_THROUGH(retry.kind);
	EXPECT_CAME_THROUGH(retry.reason);
	EXPECT_CAME_THROUGH(retry.streak);
	EXPECT_CAME_THROUGH(retry.failures);
	EXPECT_CAME_THROUGH(retry.asOf);
	EXPECT_CAME_THROUGH(retry.since);
	EXPECT_CAME_THROUGH(retry.notBefore);
	EXPECT_CAME_THROUGH(retry.lost);
	EXPECT_CAME_THROUGH(earlyDeaths);
	EXPECT_CAME_THROUGH(successes);
	EXPECT_CAME_THROUGH(failures);
	EXPECT_CAME_THROUGH(endsTold);
	EXPECT_CAME_THROUGH(heldTold);
	EXPECT_CAME_THROUGH(failing);
	EXPECT_CAME_THROUGH(notesUnspent);
	EXPECT_CAME_THROUGH(notesCounted);
}

TEST(AHandover, OfAnotherMachineTellsTheTimeOfTheLatestRefusalByThisOnesClock)
{
	const Moment theirs{Instant(1000h), WallTime(5000h)};
	Handover handover{{}, "", std::make_unique<LoginHandover>(), "another boot", theirs};
	handover.login->tries.latestRefusal = theirs.boot - 5min;
	const Moment ours{Instant(7h), theirs.wall + 1min};
	ASSERT_TRUE(moveTo(ours, handover));
	EXPECT_EQ(handover.login->tries.latestRefusal, ours.boot - 6min);
}

} // namespace
} // namespace issuer::vault
