#include "fixture_plugins.h"
#include "program.h"
#include "temp_dir.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>
#include <array>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace issuer {
namespace {

namespace fs = std::filesystem;
namespace fixture = issuer::test::fixture;
using issuer::test::Program;
using testing::HasSubstr;

/// A service manager: receives the messages of services through $NOTIFY_SOCKET.
class Manager
{
public:
	explicit Manager(std::string path)
		: _path(std::move(path)), _socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
	{
		sockaddr_un address{};
		address.sun_family = AF_UNIX;
		const timeval generous{30, 0}; // a missing message is a failure and not a test that hangs
		::setsockopt(_socket, SOL_SOCKET, SO_RCVTIMEO, &generous, sizeof generous);
		_path.copy(address.sun_path, sizeof address.sun_path - 1);
		if (::bind(_socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
			throw std::runtime_error("cannot bind " + _path);
		}
	}
	~Manager() { ::close(_socket); }
	Manager(const Manager&) = delete;
	Manager& operator=(const Manager&) = delete;

	[[nodiscard]] const std::string& path() const { return _path; }

	/// The next message that begins with `beginning`; others are passed over.
	[[nodiscard]] std::string next(const std::string& beginning) const
	{
		std::array<char, 4096> block;
		for (;;) {
			const ssize_t count = ::recv(_socket, block.data(), block.size(), 0);
			const std::string message(block.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
			if (message.empty() || message.starts_with(beginning)) {
				return message;
			}
		}
	}

private:
	const std::string _path;
	const int _socket;
};

class ProgramThatIsWatched : public testing::Test
{
protected:
	void configure(const std::string& plugin, const std::string& more = {}) const
	{
		const fs::path next = config.string() + ".next";
		std::ofstream(next) << R"({"issuers":[{"name":"team-a","plugin":")" << plugin << R"(","config":{}}])" << more
							<< '}';
		fs::rename(next, config);
	}

	static std::string urlIn(const std::string& line)
	{
		return line.substr(line.find("http://"), line.find('/', line.find("http://") + 7) - line.find("http://"));
	}

	static std::string get(const std::string& url)
	{
		const Poco::URI uri(url);
		Poco::Net::HTTPClientSession session(uri.getHost(), uri.getPort());
		Poco::Net::HTTPRequest request("GET", uri.getPathAndQuery(), "HTTP/1.1");
		session.sendRequest(request);
		Poco::Net::HTTPResponse response;
		std::string body;
		Poco::StreamCopier::copyToString(session.receiveResponse(response), body);
		return std::to_string(response.getStatus()) + ' ' + body;
	}

	issuer::test::TempDir temp;
	const fs::path config = temp.path() / "host.json";
};

TEST_F(ProgramThatIsWatched, ServesPageMetricsAndProbesWhereItSays)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--http", "127.0.0.1:0"});
	const std::string url = urlIn(program.lineWith("the status page is at http://127.0.0.1:"));
	ASSERT_NE(program.lineWith("renewed", "ready"), "");
	EXPECT_THAT(get(url + "/"), HasSubstr("</html>"));
	EXPECT_THAT(get(url + "/metrics"), HasSubstr("issuer_plugin_info{issuer=\"team-a\",id=\"io.issuer.fixture\","
												 "version=\"1.0.0\",path=\"" +
												 std::string(fixture::good) + "\"} 1\n"));
	EXPECT_EQ(get(url + "/readyz"), "200 ready\n");
	EXPECT_THAT(get(url + "/api/v1/issuers"), HasSubstr("\"name\":\"team-a\""));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramThatIsWatched, CountsAConfigurationThatIsRefusedOnceHoweverMuchIsWrongWithIt)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--http", "127.0.0.1:0"});
	const std::string url = urlIn(program.lineWith("the status page is at http://127.0.0.1:"));
	ASSERT_NE(program.lineWith("renewed", "ready"), "");
	const std::string other = std::string(R"({"name":"b","plugin":")") + fixture::truncated + R"(","config":{}})";
	std::ofstream(config) << R"({"issuers":[{"name":"a","plugin":")" << fixture::major_2 << R"(","config":{}},)"
						  << other << "]}";
	program.signal(SIGHUP);
	EXPECT_THAT(program.lineWith("faulty"), HasSubstr("it speaks version 2.0 of the contract"));
	EXPECT_THAT(program.lineWith("faulty"), HasSubstr("it is truncated"));
	EXPECT_THAT(program.lineWith("refused  "), HasSubstr("nothing was changed"));
	EXPECT_THAT(get(url + "/metrics"), HasSubstr("issuer_host_reloads_total{result=\"refused\"} 1\n"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramThatIsWatched, IsNotReadyWhileItsServerIsAway)
{
	configure(fixture::start_unavailable, R"(,"http":{"listen":"127.0.0.1:0"})");
	Program program({"run", "--config", config});
	const std::string url = urlIn(program.lineWith("the status page is at http://127.0.0.1:"));
	ASSERT_NE(program.lineWith("start failed"), "");
	EXPECT_THAT(get(url + "/readyz"), HasSubstr("issuer team-a has not begun: this fixture never starts"));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramThatIsWatched, RefusesToBeReadByTheWholeNetworkUnlessTold)
{
	configure(fixture::good);
	Program program({"run", "--config", config, "--http", ":0"});
	std::string complaint;
	EXPECT_EQ(program.wait(nullptr, &complaint), 64);
	EXPECT_THAT(complaint, HasSubstr("issuer-host: http would be open to the network on 0.0.0.0:0 without TLS"));

	configure(fixture::good, R"(,"http":{"plain_public":true})");
	Program told({"run", "--config", config, "--http", ":0"});
	EXPECT_NE(told.lineWith("the status page is at http://0.0.0.0:"), "");
	told.signal(SIGTERM);
	EXPECT_EQ(told.wait(), 0);
}

TEST_F(ProgramThatIsWatched, IsAskedFromTheTerminal)
{
	configure(fixture::good);
	const std::string control = temp.path() / "control.sock";
	Program program({"run", "--config", config, "--control", control});
	ASSERT_NE(program.lineWith("renewed", "ready"), "");
	const auto status = [&](std::vector<std::string> more) {
		more.insert(more.begin(), {"status", "--control", control});
		return more;
	};

	std::string said;
	EXPECT_EQ(Program(status({})).wait(&said), 0);
	EXPECT_THAT(said, testing::MatchesRegex("1 issuer: 1 well\nISSUER .*\nteam-a  alive .* Fixture 1.0.0\n"));
	EXPECT_EQ(Program(status({"team-a", "--json"})).wait(&said), 0);
	EXPECT_THAT(said, testing::StartsWith("{\"ok\":true,"));
	EXPECT_EQ(Program(status({"nobody"})).wait(nullptr, &said), 65);
	EXPECT_EQ(said, "issuer-host: there is no issuer nobody\n");

	Program watcher(status({"--watch"}));
	EXPECT_THAT(watcher.lineWith("team-a"), HasSubstr("Fixture 1.0.0"));
	configure(fixture::good_next);
	program.signal(SIGHUP);
	EXPECT_THAT(watcher.lineWith("Fixture 2.0.0"), HasSubstr("team-a"));
	watcher.signal(SIGINT);
	EXPECT_EQ(watcher.wait(), 0);

	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
	EXPECT_EQ(Program(status({})).wait(nullptr, &said), 69);
	EXPECT_THAT(said, HasSubstr(control));
}

TEST_F(ProgramThatIsWatched, TellsItsServiceManagerHowItIs)
{
	configure(fixture::good);
	const Manager manager(temp.path() / "notify");
	Program program({"run", "--config", config}, {{"NOTIFY_SOCKET", manager.path()}, {"WATCHDOG_USEC", "30000"}});
	EXPECT_EQ(manager.next("READY"), "READY=1");
	EXPECT_THAT(manager.next("STATUS"), HasSubstr("1 issuer: 1 "));
	EXPECT_EQ(manager.next("WATCHDOG"), "WATCHDOG=1");
	EXPECT_EQ(manager.next("WATCHDOG"), "WATCHDOG=1");
	program.signal(SIGHUP);
	EXPECT_THAT(manager.next("RELOADING"), HasSubstr("RELOADING=1\nMONOTONIC_USEC="));
	EXPECT_EQ(manager.next("READY"), "READY=1");
	program.signal(SIGTERM);
	EXPECT_EQ(manager.next("STOPPING"), "STOPPING=1");
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramThatIsWatched, KeepsAJournalThatOutlivesIt)
{
	configure(fixture::good, R"(,"journal":{"file":"journal.jsonl"})");
	for (int life = 1; life <= 2; ++life) {
		Program program({"run", "--config", config});
		ASSERT_NE(program.lineWith("renewed", "ready"), "");
		program.signal(SIGTERM);
		EXPECT_EQ(program.wait(), 0);
	}
	std::ifstream file(temp.path() / "journal.jsonl");
	const std::string text(std::istreambuf_iterator<char>(file), {});
	const auto count = [&](std::string_view what) {
		int times = 0;
		for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
			++times;
		}
		return times;
	};
	EXPECT_EQ(count("\"action\":\"ready\""), 2);
	EXPECT_EQ(count("\"action\":\"ended\""), 2);
	EXPECT_EQ(count("\"result\":\"success\""), 4);
}

TEST_F(ProgramThatIsWatched, ShowsOnItsPageThatItsJournalIsNotWritten)
{
	configure(fixture::good, R"(,"journal":{"file":"journal.jsonl"})");
	rlimit before{};
	ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
	const rlimit small{1, before.rlim_max}; // a disk that is full
	ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
	Program program({"run", "--config", config, "--http", "127.0.0.1:0"});
	ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
	const std::string said = program.lineWith("the status page is at http://127.0.0.1:", "it cannot be written");
	ASSERT_NE(said, "");
	EXPECT_THAT(
		get(urlIn(said) + "/api/v1/issuers?happenings=16"), HasSubstr("\"what\":\"journal\",\"level\":\"warn\""));
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
}

TEST_F(ProgramThatIsWatched, KeepsItsTokensWithoutAJournalUntilItCanBeWritten)
{
	configure(fixture::good, R"(,"journal":{"file":"folder/journal.jsonl"})");
	Program program({"run", "--config", config});
	EXPECT_NE(program.lineWith("folder/journal.jsonl: it cannot be opened: No such file", "renewed"), "");
	fs::create_directory(temp.path() / "folder");
	EXPECT_NE(program.lineWith("the journal is written again"), "");
	program.signal(SIGTERM);
	EXPECT_EQ(program.wait(), 0);
	std::ifstream file(temp.path() / "folder" / "journal.jsonl");
	EXPECT_THAT(std::string(std::istreambuf_iterator<char>(file), {}), HasSubstr("\"result\":\"success\""));
}

TEST_F(ProgramThatIsWatched, KeepsItsTokensWhileItsPortIsTakenAndServesWhenItIsFree)
{
	configure(fixture::good);
	Program first({"run", "--config", config, "--http", "127.0.0.1:0"});
	const std::string address = urlIn(first.lineWith("the status page is at http://127.0.0.1:")).substr(7);
	ASSERT_NE(first.lineWith("ready"), "");
	Program second({"run", "--config", config, "--http", address});
	EXPECT_THAT(
		second.lineWith("http cannot listen on " + address, "renewed"), HasSubstr("goes on without, and tries again"));
	first.signal(SIGTERM);
	EXPECT_EQ(first.wait(), 0);
	EXPECT_NE(second.lineWith("the status page is at http://" + address), "");
	EXPECT_EQ(get("http://" + address + "/readyz"), "200 ready\n");
	second.signal(SIGTERM);
	EXPECT_EQ(second.wait(), 0);
}

} // namespace
} // namespace issuer
