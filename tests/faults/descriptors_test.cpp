#include "exchange_fixture.h"
#include "runtime/clock.h"
#include "runtime/scheduler.h"
#include "transport/pool.h"

#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>

/// Idle connections in a process whose descriptors are few.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using vault::Duration;
using vault::Instant;
using vault::transport::Clients;
using vault::transport::Exchange;

/// A clock that stands still, and a scheduler that runs its one job when a test calls it.
class ByHand final : public vault::runtime::Scheduler, public vault::runtime::Clock
{
public:
	void arm(vault::runtime::Job& job, Instant at, Instant) override
	{
		_job = &job;
		_at = at;
	}
	bool halt(vault::runtime::Job&, Duration) override
	{
		_job = nullptr;
		return true;
	}
	[[nodiscard]] vault::Moment now() const override { return {Instant(1h), {}}; }

	[[nodiscard]] bool isArmed() const { return _job != nullptr; }
	[[nodiscard]] Duration in() const { return _at - boot(); }
	void run()
	{
		auto* const job = std::exchange(_job, nullptr);
		ASSERT_NE(job, nullptr);
		EXPECT_FALSE(job->run(vault::Wake::ready)) << "a look does not wait";
	}

private:
	vault::runtime::Job* _job = nullptr;
	Instant _at;
};

/// Identities that are all different and all good: the same authority under many names.
std::vector<vault::transport::Settings> differing(std::size_t count, const std::string& address)
{
	std::vector<vault::transport::Settings> all;
	for (std::size_t i = 0; i < count; ++i) {
		const auto name = Pki::shared().directory.path() / ("ca-" + std::to_string(i) + ".pem");
		std::filesystem::copy_file(
			Pki::shared().authority.caFile(), name, std::filesystem::copy_options::overwrite_existing);
		all.push_back(settingsFor({address}));
		all.back().tls.caFile = name;
	}
	return all;
}

bool looksAtMemoryThroughAPipe()
{
	return std::string_view(ISSUER_SANITIZE).find("undefined") != std::string_view::npos;
}

/// Returns the number of sockets connected to `port` whose other end has closed.
std::size_t inCloseWait(std::uint16_t port)
{
	char wanted[16];
	std::snprintf(wanted, sizeof(wanted), ":%04X", port);
	std::ifstream table("/proc/self/net/tcp");
	std::size_t count = 0;
	std::string line;
	while (std::getline(table, line)) {
		std::istringstream columns(line);
		std::string number, local, remote, state;
		columns >> number >> local >> remote >> state;
		count += remote.ends_with(wanted) && state == "08" ? 1U : 0U;
	}
	return count;
}

class Descriptors : public testing::Test
{
protected:
	[[nodiscard]] std::shared_ptr<Exchange> renewOnce(Clients& clients, const vault::transport::Settings& settings)
	{
		auto client = clients.get(settings);
		EXPECT_TRUE(renew(*client).has_value());
		return client;
	}

	ByHand hand;
	std::shared_ptr<vault::transport::Resolver> resolver = std::make_shared<vault::transport::Resolver>();
};

TEST_F(Descriptors, ThreeHundredSettingsWhoseServerClosesLeaveNoSocketInCloseWait)
{
	FaultServer server({.tls = Pki::shared().server});
	Clients clients(resolver, hand, hand);
	std::vector<std::shared_ptr<Exchange>> held;
	for (const auto& settings : differing(300, server.address())) {
		held.push_back(renewOnce(clients, settings));
	}
	const auto kept = clients.idle();
	EXPECT_GT(kept, 0u);
	ASSERT_TRUE(hand.isArmed());
	EXPECT_EQ(hand.in(), 10s);

	server.closeConnections();
	while (inCloseWait(server.port()) < kept) {
		std::this_thread::yield();
	}
	hand.run();
	EXPECT_EQ(clients.idle(), 0u);
	EXPECT_EQ(inCloseWait(server.port()), 0u);
	EXPECT_FALSE(hand.isArmed()) << "nothing idles any more";
}

TEST_F(Descriptors, AConnectionThatIsWellIsLookedAtAgain)
{
	FaultServer server;
	Clients clients(resolver, hand, hand);
	const auto client = renewOnce(clients, settingsFor({server.address()}));
	hand.run();
	EXPECT_EQ(clients.idle(), 1u);
	EXPECT_TRUE(hand.isArmed());
	EXPECT_TRUE(renew(*client).has_value());
	EXPECT_EQ(server.connections(), 1u);
}

TEST_F(Descriptors, NoLookIsLeftBehind)
{
	FaultServer server;
	std::shared_ptr<Exchange> client;
	{
		Clients clients(resolver, hand, hand);
		client = renewOnce(clients, settingsFor({server.address()}));
		EXPECT_TRUE(hand.isArmed());
	}
	EXPECT_FALSE(hand.isArmed());
	EXPECT_TRUE(renew(*client).has_value());
	EXPECT_FALSE(hand.isArmed());
}

TEST_F(Descriptors, AtMostAQuarterOfThemIdles)
{
	if (looksAtMemoryThroughAPipe()) {
		GTEST_SKIP() << "this sanitizer looks at memory through a pipe, for which no descriptor would be left";
	}
	FaultServer server({.tls = Pki::shared().server});
	rlimit before{};
	::getrlimit(RLIMIT_NOFILE, &before);
	rlimit few = before;
	few.rlim_cur = 400;
	::setrlimit(RLIMIT_NOFILE, &few);
	{
		Clients clients(resolver, hand, hand);
		std::vector<std::shared_ptr<Exchange>> held;
		for (const auto& settings : differing(120, server.address())) {
			held.push_back(renewOnce(clients, settings));
		}
		EXPECT_EQ(clients.idle(), 100u);
		few.rlim_cur = 200;
		::setrlimit(RLIMIT_NOFILE, &few);
		hand.run();
		EXPECT_EQ(clients.idle(), 50u) << "the limit is read again";
	}
	::setrlimit(RLIMIT_NOFILE, &before);
}

/// Renews 200 issuers of different identities in a process with 128 descriptors, each twice, eight at a time. Returns
/// how many renewals failed.
int renewAllWithFewDescriptors(const std::string& address)
{
	const auto settings = differing(200, address);
	const rlimit few{128, 128};
	::setrlimit(RLIMIT_NOFILE, &few);
	Clients clients;
	std::vector<std::shared_ptr<Exchange>> held;
	for (const auto& one : settings) {
		held.push_back(clients.get(one));
	}
	std::vector<int> ballast; // other descriptors of the process: all but as many as eight requests need
	for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) {
		ballast.push_back(fd);
	}
	for (int i = 0; i < 16; ++i) {
		::close(ballast.back());
		ballast.pop_back();
	}
	std::atomic<std::size_t> next = 0;
	std::atomic<int> failed = 0;
	std::vector<std::thread> threads;
	for (int i = 0; i < 8; ++i) {
		threads.emplace_back([&] {
			for (std::size_t turn = next++; turn < 2 * held.size(); turn = next++) {
				const auto outcome = renew(*held[turn % held.size()]);
				if (!outcome) {
					std::fprintf(stderr, "%s\n", told(outcome).c_str());
					++failed;
				}
			}
		});
	}
	for (auto& thread : threads) {
		thread.join();
	}
	return failed;
}

TEST(FewDescriptors, TwoHundredIssuersAreAllRenewed)
{
	if (looksAtMemoryThroughAPipe()) {
		GTEST_SKIP() << "this sanitizer looks at memory through a pipe, for which no descriptor would be left";
	}
	static_cast<void>(Pki::shared());
	int toChild[2] = {-1, -1};
	ASSERT_EQ(::pipe2(toChild, O_CLOEXEC), 0);
	const pid_t child = ::fork(); // before there are threads
	if (child == 0) {
		char address[64] = "";
		const bool told = ::read(toChild[0], address, sizeof(address) - 1) > 0;
		::_exit(told && renewAllWithFewDescriptors(address) == 0 ? 0 : 1);
	}
	FaultServer server({.tls = Pki::shared().server});
	const auto address = server.address();
	ASSERT_EQ(::write(toChild[1], address.data(), address.size()), static_cast<ssize_t>(address.size()));
	int status = 0;
	ASSERT_EQ(::waitpid(child, &status, 0), child);
	EXPECT_EQ(status, 0);
	::close(toChild[0]);
	::close(toChild[1]);
}

} // namespace
} // namespace issuer::test
