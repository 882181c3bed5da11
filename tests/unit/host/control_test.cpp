#include "control/client.h"
#include "control/paths.h"
#include "control/server.h"
#include "no_threads.h"
#include "temp_dir.h"

#include <future>
#include <gmock/gmock.h>
#include <map>
#include <sys/stat.h>

namespace issuer::control {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string echo(std::string_view line, Peer = Peer::owner)
{
	return "heard " + std::string(line);
}

class Control : public testing::Test
{
protected:
	[[nodiscard]] std::unique_ptr<Server> listen(Server::Answer answer = echo) const
	{
		return Server::listen(path, std::move(answer)).value();
	}

	[[nodiscard]] std::string whyNot() const
	{
		const auto server = Server::listen(path, echo);
		return server ? "it listens" : server.error().text;
	}

	/// Returns a connection of its own, to send lines that ask() would not.
	[[nodiscard]] Descriptor connected() const
	{
		Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		const sockaddr_un address = addressOf(path).value();
		EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
		return socket;
	}

	/// The socket of a host that was killed.
	static void leaveSocket(const fs::path& where)
	{
		const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		const sockaddr_un address = addressOf(where).value();
		ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
		ASSERT_TRUE(fs::is_socket(where));
	}

	issuer::test::TempDir temp;
	const fs::path path = temp.path() / "control.sock";
};

TEST_F(Control, AnswersLineByLineAsOftenAsAsked)
{
	const auto server = listen();
	const Descriptor socket = connected();
	LineReader answers(socket.get(), 1000);
	ASSERT_TRUE(sendAll(socket.get(), "one\ntw"));
	EXPECT_EQ(answers.next(), "heard one");
	ASSERT_TRUE(sendAll(socket.get(), "o\nthree\n"));
	EXPECT_EQ(answers.next(), "heard two");
	EXPECT_EQ(answers.next(), "heard three");
}

TEST_F(Control, AsksAndHearsTheAnswer)
{
	const auto server = listen();
	EXPECT_EQ(ask(path, "hello").value(), "heard hello");
}

TEST_F(Control, AnswersOneWhileAnotherWaits)
{
	std::promise<void> entered, released;
	const auto server = listen([&](std::string_view line, Peer) {
		if (line == "slow") {
			entered.set_value();
			released.get_future().wait();
		}
		return echo(line);
	});
	auto slow = std::async(std::launch::async, [&] { return ask(path, "slow").value(); });
	entered.get_future().wait();
	EXPECT_EQ(ask(path, "quick").value(), "heard quick");
	released.set_value();
	EXPECT_EQ(slow.get(), "heard slow");
}

TEST_F(Control, AtItsEndGivesTheAnswerThatIsUnderWay)
{
	std::promise<void> entered, released;
	auto server = listen([&](std::string_view line, Peer) {
		entered.set_value();
		released.get_future().wait();
		return echo(line);
	});
	auto asking = std::async(std::launch::async, [&] { return ask(path, "last").value(); });
	entered.get_future().wait();
	auto ending = std::async(std::launch::async, [&] { server.reset(); });
	released.set_value();
	EXPECT_EQ(asking.get(), "heard last");
}

TEST_F(Control, AtItsEndHangsUpOnSilentClients)
{
	auto server = listen();
	const Descriptor silent = connected();
	EXPECT_EQ(ask(path, "hello").value(), "heard hello"); // the silent one was accepted before
	server.reset();
	EXPECT_EQ(LineReader(silent.get(), 1000).next(), std::nullopt);
	EXPECT_FALSE(fs::exists(path));
}

TEST_F(Control, IsForItsOwnUserAlone)
{
	const auto server = listen();
	struct stat status
	{
	};
	ASSERT_EQ(::stat(path.c_str(), &status), 0);
	EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(Control, OfTwoHostsTheFirstKeepsThePath)
{
	const auto first = listen();
	EXPECT_EQ(whyNot(), "control socket " + path.string() + ": another host (process " + std::to_string(::getpid()) +
							") listens there; give this one a path of its own");
	EXPECT_EQ(ask(path, "still there").value(), "heard still there");
}

TEST_F(Control, ReplacesTheSocketOfAHostThatHasDied)
{
	leaveSocket(path);
	EXPECT_THAT(ask(path, "hello").error().text, HasSubstr("no host listens there any more"));
	const auto server = listen();
	EXPECT_EQ(ask(path, "hello").value(), "heard hello");
}

TEST_F(Control, NeverRemovesWhatIsNoSocket)
{
	temp.write("control.sock", "precious");
	EXPECT_EQ(whyNot(),
		"control socket " + path.string() + ": it exists and is not a socket; remove it or choose another path");
	EXPECT_EQ(fs::file_size(path), 8U);
}

TEST_F(Control, SaysWhichPathCannotBe)
{
	EXPECT_EQ(Server::listen("/nowhere/control.sock", echo).error().text,
		"control socket /nowhere/control.sock: No such file or directory");
	const fs::path longOne = temp.path() / std::string(120, 'x');
	EXPECT_EQ(Server::listen(longOne, echo).error().text,
		"control socket " + longOne.string() + ": a socket's path has at most 107 bytes");
}

TEST_F(Control, RefusesALineThatHasNoEnd)
{
	const auto server = listen();
	const Descriptor socket = connected();
	sendAll(socket.get(), std::string(70'000, 'x'));
	EXPECT_EQ(LineReader(socket.get(), 1000).next(), R"({"ok":false,"error":"a line is at most 64 KiB"})");
}

TEST_F(Control, TellsTheSeventeenthThatThereAreTooMany)
{
	const auto server = listen();
	std::vector<Descriptor> clients;
	for (int i = 0; i < 16; ++i) {
		clients.push_back(connected());
		ASSERT_TRUE(sendAll(clients.back().get(), "hello\n"));
		ASSERT_EQ(LineReader(clients.back().get(), 1000).next(), "heard hello");
	}
	EXPECT_EQ(ask(path, "me too").value(), R"({"ok":false,"error":"too many ask at the same time"})");
}

TEST_F(Control, TellsClientsThatItLacksAThreadToAnswerThemAndGoesOn)
{
	const auto server = listen();
	{
		const issuer::test::NoThreads none;
		EXPECT_EQ(ask(path, "hello").value(), R"({"ok":false,"error":"the system gives no thread to answer with"})");
	}
	EXPECT_EQ(ask(path, "hello").value(), "heard hello");
}

TEST_F(Control, CannotListenWithoutAThread)
{
	const issuer::test::NoThreads none;
	EXPECT_EQ(whyNot(), "control socket " + path.string() + ": Resource temporarily unavailable");
	EXPECT_FALSE(fs::exists(path));
}

TEST_F(Control, OfAHostThatIsNotThereIsAnError)
{
	EXPECT_EQ(ask(path, "hello").error().text,
		"control socket " + path.string() + ": there is no such socket; does the host run, and with this --control?");
	EXPECT_EQ(findHost({path, temp.path() / "b"}).error().text,
		"no running host found: there is no control socket at " + path.string() + " and " +
			(temp.path() / "b").string() + "; say where with --control");
	const auto server = listen();
	EXPECT_EQ(findHost({temp.path() / "b", path}).value(), path);
}

TEST_F(Control, OfADeadHostIsPassedOverForOneThatLives)
{
	const fs::path dead = temp.path() / "dead.sock";
	leaveSocket(dead);
	EXPECT_EQ(findHost({dead, path}).error().text, "no running host found: no host listens any more at " +
													   dead.string() + " and there is no control socket at " +
													   path.string() + "; say where with --control");
	const auto server = listen();
	EXPECT_EQ(findHost({dead, path}).value(), path);
}

TEST_F(Control, OfAHostThatIsBusyIsThatOfALivingOne)
{
	const Descriptor busy(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	const sockaddr_un address = addressOf(path).value();
	ASSERT_EQ(::bind(busy.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
	ASSERT_EQ(::listen(busy.get(), 0), 0);
	const Descriptor first = connected(); // all it takes before it accepts
	EXPECT_EQ(findHost({path}).value(), path);
}

TEST(ControlPaths, AreWhereOnlyTheUserCanWrite)
{
	std::map<std::string, std::string> variables;
	const Environment environment = [&](const std::string& name) {
		const auto found = variables.find(name);
		return found == variables.end() ? std::nullopt : std::optional(found->second);
	};
	EXPECT_EQ(defaultSocket(environment), std::nullopt);
	variables["XDG_RUNTIME_DIR"] = variables["RUNTIME_DIRECTORY"] = "";
	EXPECT_EQ(defaultSocket(environment), std::nullopt);
	EXPECT_THAT(likelySockets(environment), ElementsAre("/run/issuer-host/control.sock"));
	variables["XDG_RUNTIME_DIR"] = "/run/user/7";
	EXPECT_EQ(defaultSocket(environment), "/run/user/7/issuer-host.sock");
	variables["RUNTIME_DIRECTORY"] = "/run/issuer-host:/run/other";
	EXPECT_EQ(defaultSocket(environment), "/run/issuer-host/control.sock");
	EXPECT_EQ(likelySockets(environment).front(), "/run/issuer-host/control.sock");
}

} // namespace
} // namespace issuer::control
