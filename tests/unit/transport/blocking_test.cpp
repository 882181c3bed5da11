#include "transport/blocking.h"

#include "base/descriptor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

namespace issuer::vault::transport {
namespace {

TEST(ABlockingWait, WithoutALimitEndsByItsDescriptorAlone)
{
	const Descriptor silent(::eventfd(0, EFD_CLOEXEC));
	const Descriptor cancel(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)); // readable once it has run out
	const itimerspec soon{{}, {0, 20'000'000}};
	ASSERT_EQ(::timerfd_settime(cancel.get(), 0, &soon, nullptr), 0);
	EXPECT_EQ(block({silent.get(), POLLIN}, cancel.get()), Wake::cancelled);
}

TEST(ABlockingWait, EndsAfterItsLimit)
{
	const Descriptor silent(::eventfd(0, EFD_CLOEXEC));
	EXPECT_EQ(block({silent.get(), POLLIN, std::chrono::milliseconds(1)}, -1), Wake::timedOut);
}

} // namespace
} // namespace issuer::vault::transport
