// Peers that are not welcome, and peers that have gone.
#include "control/client.h"
#include "control/server.h"
#include "control/unix_socket.h"
#include "temp_dir.h"

#include <array>
#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

std::atomic<uid_t> pretendedUser = static_cast<uid_t>(-1); ///< of every peer; -1: what it is

} // namespace

/// Replaces the C library's function, but for the user of a peer: only root could become another user.
extern "C" int getsockopt(int socket, int level, int option, void* value, socklen_t* size) noexcept
{
	const auto answer = static_cast<int>(::syscall(SYS_getsockopt, socket, level, option, value, size));
	if (answer == 0 && level == SOL_SOCKET && option == SO_PEERCRED && pretendedUser != static_cast<uid_t>(-1)) {
		static_cast<ucred*>(value)->uid = pretendedUser;
	}
	return answer;
}

namespace issuer::control {
namespace {

class APeer : public testing::Test
{
protected:
	~APeer() override { pretendedUser = static_cast<uid_t>(-1); }

	[[nodiscard]] std::string answerTo(uid_t user) const
	{
		pretendedUser = user;
		return ask(path, "hello").value();
	}

	issuer::test::TempDir temp;
	const std::filesystem::path path = temp.path() / "control.sock";
	const std::unique_ptr<Server> server =
		Server::listen(path, [](std::string_view line, Peer) { return "heard " + std::string(line); }).value();
};

TEST_F(APeer, ThatIsAnotherUserIsRefused)
{
	const std::string refused =
		R"({"ok":false,"error":"only the host's own user, root and the group of control_group may ask"})";
	EXPECT_EQ(answerTo(::geteuid() + 1), refused);
	EXPECT_EQ(answerTo(65534), refused);
}

TEST_F(APeer, ThatIsTheHostsUserOrRootIsHeard)
{
	EXPECT_EQ(answerTo(::geteuid()), "heard hello");
	EXPECT_EQ(answerTo(0), "heard hello");
}

std::atomic<int> sigpipes = 0;

TEST(APeerThatHasGone, RaisesNoSigpipe)
{
	const auto handlerBefore = std::signal(SIGPIPE, [](int) { ++sigpipes; });
	std::array<int, 2> ends{};
	ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
	const Descriptor ours(ends[0]);
	::close(ends[1]);
	EXPECT_FALSE(sendAll(ours.get(), "lost"));
	std::signal(SIGPIPE, handlerBefore);
	EXPECT_EQ(sigpipes, 0);
}

} // namespace
} // namespace issuer::control
