#include "transport/byte_stream.h"

#include <Poco/Net/NetException.h>
#include <array>
#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace issuer::vault::transport {
namespace {

std::atomic<int> sigpipes = 0;

TEST(ByteStream, OfAPeerThatHasGoneRaisesNoSigpipe)
{
	sigset_t sigpipe;
	sigemptyset(&sigpipe);
	sigaddset(&sigpipe, SIGPIPE);
	sigset_t maskBefore;
	::pthread_sigmask(SIG_UNBLOCK, &sigpipe, &maskBefore); // Poco blocks it in the thread that loads it
	const auto handlerBefore = std::signal(SIGPIPE, [](int) { ++sigpipes; });
	std::array<int, 2> ends{};
	ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
	Poco::AutoPtr<ByteStream> stream(new ByteStream(Descriptor(ends[0])));
	::close(ends[1]);
	EXPECT_THROW(stream->sendBytes("lost", 4, 0), Poco::Exception);
	std::signal(SIGPIPE, handlerBefore);
	::pthread_sigmask(SIG_SETMASK, &maskBefore, nullptr);
	EXPECT_EQ(sigpipes, 0);
}

} // namespace
} // namespace issuer::vault::transport
