#include "common/child_process.h"

#include "common/descriptor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

namespace issuer {
namespace {

using testing::HasSubstr;

TEST(ChildProcess, ThatEndsByItselfIsToldByItsExitCode)
{
	const auto fine = runChild({.arguments = {"/bin/true"}});
	ASSERT_TRUE(fine);
	EXPECT_EQ(fine->trouble(), "");
	const auto failed = runChild({.arguments = {"/bin/false"}});
	ASSERT_TRUE(failed);
	EXPECT_EQ(failed->trouble(), "the process ends with exit code 1");
}

/// Leaves this process room for so many more descriptors.
class FewDescriptors
{
public:
	explicit FewDescriptors(rlim_t more)
	{
		const Descriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
		::getrlimit(RLIMIT_NOFILE, &_before);
		const rlimit few{static_cast<rlim_t>(next.get()) + more, _before.rlim_max};
		::setrlimit(RLIMIT_NOFILE, &few);
	}
	~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &_before); }
	FewDescriptors(const FewDescriptors&) = delete;
	FewDescriptors& operator=(const FewDescriptors&) = delete;

private:
	rlimit _before{};
};

TEST(ChildProcess, ThatCannotBeWatchedIsAFailureOfTheSystemAndDoesNotHang)
{
	const auto end = [] {
		const FewDescriptors few(1); // for its input; none to wait for its end
		return runChild({.arguments = {"/bin/true"}});
	}(); // a sanitizer that judges the next line needs descriptors of its own
	ASSERT_FALSE(end) << end->trouble();
	EXPECT_THAT(end.error().text, HasSubstr("it cannot be watched: Too many open files"));
}

} // namespace
} // namespace issuer
