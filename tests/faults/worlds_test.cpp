#include "fake_vault/fake_vault.h"
#include "hanging_files.h"
#include "instance.h"
#include "library.h"
#include "relay.h"
#include "scripted_names.h"
#include "temp_dir.h"
#include "test_pki.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <sstream>
#include <sys/resource.h>

/// The whole plugin, real sockets, files and threads, in worlds in which tokens were lost although their server would
/// have renewed them at once. A token is alive if the server says so.
///
/// Leases run by the wall clock, so all worlds of a program's run take place at once. They share one engine, as
/// issuers of one host do: a fault in one world must not show in another.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using vault::renewal::Outcome;
using Way = Relay::Way;

/// Long enough for a machine that is busy with all these worlds, and short enough to be lost at once.
constexpr auto lease = 4s;

/// Long enough for no renewal to be due in a test: only one that the test asks for is made.
constexpr auto longLease = 300s;

using File = std::filesystem::file_time_type;

/// Keeps one token alive, and counts how often it was renewed.
class Issuer final : private vault::Listener
{
public:
	Issuer(const std::string& address, const std::string& token, const std::string& more)
		: _instance(vault::parseConfig(
						R"({"address":")" + address + R"(","startup":"background","token":)" + token + more + "}")
						.value(),
			  *this, vault::servicesSource())
	{
		EXPECT_TRUE(_instance.start().has_value());
	}
	~Issuer() { EXPECT_TRUE(_instance.stop(30s).has_value()); }
	Issuer(const Issuer&) = delete;
	Issuer& operator=(const Issuer&) = delete;

	void renewNow() { EXPECT_TRUE(_instance.renewNow().has_value()); }
	[[nodiscard]] int renewals() const
	{
		const std::lock_guard lock(_mutex);
		return _renewals;
	}
	/// Returns once the token was renewed so often, or as soon as `over` says that it never will be.
	void await(int renewals, const std::function<bool()>& over) const
	{
		std::unique_lock lock(_mutex);
		while (_renewals < renewals && !over()) {
			_heard.wait_for(lock, 20ms);
		}
	}

	void awaitActive() const
	{
		std::unique_lock lock(_mutex);
		_heard.wait(lock, [this] { return _isActive; });
	}

private:
	void event(const vault::renewal::Event& event) noexcept override
	{
		const std::lock_guard lock(_mutex);
		_renewals += event.outcome == Outcome::success ? 1 : 0;
		_isActive = event.state == vault::renewal::State::active;
		_heard.notify_all();
	}
	void log(vault::renewal::Level, std::string_view, std::string_view) noexcept override {}

	mutable std::mutex _mutex;
	mutable std::condition_variable _heard;
	int _renewals = 0;
	bool _isActive = false;
	vault::Instance _instance; ///< goes first
};

/// A server with honest leases, and the issuers of its tokens.
class Vault
{
public:
	explicit Vault(const FakeVault::Options& options = {}) : server(options) {}

	[[nodiscard]] std::uint16_t port() const
	{
		const auto address = server.address();
		return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
	}
	/// Issues a token. How a configuration holds it: as it stands.
	std::string issue(std::chrono::seconds ttl = lease)
	{
		_tokens.push_back(server.api().createToken({.ttl = ttl}));
		return _tokens.back();
	}
	/// Has an issuer keep a token at `address`. `more` of its configuration begins with a comma.
	Issuer& keep(const std::string& address, std::chrono::seconds ttl = lease, const std::string& more = {})
	{
		return keepAs(address, R"({"value":")" + issue(ttl) + R"("})", more);
	}
	Issuer& keepAs(const std::string& address, const std::string& token, const std::string& more = {})
	{
		return *_issuers.emplace_back(std::make_unique<Issuer>(address, token, more));
	}
	/// Until each of its issuers has renewed so many times more, or a token is dead.
	void awaitRenewals(int more)
	{
		std::vector<int> wanted;
		for (const auto& issuer : _issuers) {
			wanted.push_back(issuer->renewals() + more);
		}
		for (std::size_t i = 0; i < wanted.size(); ++i) {
			_issuers[i]->await(wanted[i], [this] { return !allAlive(); });
		}
	}
	void awaitActive() const
	{
		for (const auto& issuer : _issuers) {
			issuer->awaitActive();
		}
	}
	void renewNow()
	{
		for (const auto& issuer : _issuers) {
			issuer->renewNow();
		}
	}
	[[nodiscard]] bool allAlive()
	{
		return std::ranges::all_of(_tokens, [this](const auto& token) { return server.api().isAlive(token); });
	}

	FakeVault server;

private:
	std::vector<std::string> _tokens;
	std::vector<std::unique_ptr<Issuer>> _issuers;
};

/// All is well, then trouble begins, and one renewal later the tokens live.
bool survives(Vault& vault, const std::function<void()>& trouble)
{
	vault.awaitRenewals(1);
	trouble();
	vault.awaitRenewals(2);
	return vault.allAlive();
}

bool oneConnectionAnswersBadly(Way way)
{
	Vault vault;
	Relay balancer(vault.port());
	vault.keep(balancer.address());
	return survives(vault, [&] { balancer.treat(way, Way::pass); });
}

/// Two relays before one server, at the same port of two addresses, and a name for both.
struct Pair
{
	explicit Pair(std::string wanted) : name(std::move(wanted))
	{
		for (int attempt = 0; !second; ++attempt) {
			first = std::make_unique<Relay>(vault.port());
			try {
				second = std::make_unique<Relay>(vault.port(), Relay::Options{"127.0.0.2", first->port(), 0});
			}
			catch (const std::runtime_error&) {
				if (attempt == 20) { // another program has the port there, each time
					throw;
				}
			}
		}
	}

	[[nodiscard]] std::string address() const { return first->address(name); }

	std::string name;
	std::unique_ptr<Relay> first;
	std::unique_ptr<Relay> second;
	Vault vault; // its issuers go first
};

bool oneOfTwoAddressesAnswersBadly(const std::string& name, Way way)
{
	Pair pair(name);
	names::resolve(pair.name, {"127.0.0.1", "127.0.0.2"});
	pair.vault.keep(pair.address());
	return survives(pair.vault, [&] { pair.first->treat(way, way); });
}

bool theNameMoves()
{
	Pair pair("moves.test");
	names::resolve(pair.name, {"127.0.0.1"});
	pair.vault.keep(pair.address());
	return survives(pair.vault, [&] {
		pair.first->treat(Way::sealed, Way::sealed);
		names::resolve(pair.name, {"127.0.0.2"});
	});
}

bool theResolverIsAway(const std::string& name, void (*away)(const std::string&))
{
	Vault vault;
	Relay relay(vault.port());
	names::resolve(name, {"127.0.0.1"});
	vault.keep(relay.address(name));
	return survives(vault, [&] {
		away(name);
		relay.treat(Way::sealed, Way::pass); // an endpoint in trouble has its name resolved anew
	});
}

/// There are so many connections because so many issuers have asked at the same time; one of them has little time left.
bool sixteenKeptConnectionsHang()
{
	constexpr int count = 16;
	Vault vault;
	Relay relay(vault.port(), {"127.0.0.1", 0, count});
	for (int i = 1; i < count; ++i) {
		vault.keep(relay.address(), longLease);
	}
	const auto& hurried = vault.keep(relay.address());
	const auto renewed = [&](int times) { hurried.await(times, [&] { return !vault.allAlive(); }); };
	renewed(1);
	vault.awaitActive();
	relay.treat(Way::silent, Way::pass);
	renewed(hurried.renewals() + 2);
	return vault.allAlive() && relay.connections() > count;
}

bool sixteenNeighboursHang()
{
	constexpr int count = 16;
	Vault vault;
	Relay relay(vault.port(), {"127.0.0.1", 0, count});
	for (int i = 0; i < count; ++i) {
		vault.keep(relay.address(), longLease);
	}
	vault.awaitActive();
	relay.treat(Way::silent, Way::silent);
	vault.renewNow();
	relay.awaitConnections(2 * count); // each has left its kept connection, and hangs again
	relay.treat(Way::silent, Way::pass);
	const auto& late = vault.keep(relay.address());
	late.await(3, [&] { return !vault.allAlive(); });
	return vault.allAlive();
}

bool aDeadServerHasManyIssuers()
{
	Vault vault;
	Vault dead;
	Relay silent(dead.port());
	silent.treat(Way::silent, Way::silent);
	for (int i = 0; i < 130; ++i) { // with settings of its own each
		dead.keep(silent.address() + "/" + std::to_string(i), longLease);
	}
	const auto& well = vault.keep(vault.server.address());
	well.await(3, [&] { return !vault.allAlive(); });
	return vault.allAlive();
}

bool neighboursNamesDoNotResolve()
{
	Vault vault;
	Relay relay(vault.port());
	Vault lost;
	std::vector<std::string> names;
	for (int i = 0; i < 8; ++i) {
		names.push_back("lost" + std::to_string(i) + ".test");
		names::hang(names.back());
		lost.keep("http://" + names.back() + ":1", longLease);
	}
	const bool allHang = names::awaitHanging(names, 30s);
	names::resolve("found.test", {"127.0.0.1"}); // for the first time: no address of it is remembered
	vault.keep(relay.address("found.test"));
	return survives(vault, [&] { relay.closeAll(); }) && allHang;
}

bool tokenFilesHang()
{
	const TempDir folder;
	const TempDir well;
	Vault vault;
	const auto keepFromFile = [&vault](const TempDir& where, int number) {
		const auto file = where.write(std::to_string(number), vault.issue());
		vault.keepAs(vault.server.address(), R"({"file":")" + file.string() + R"("})");
	};
	for (int i = 0; i < 16; ++i) {
		keepFromFile(folder, i);
	}
	vault.keep(vault.server.address());
	std::optional<HangingFiles> hanging;
	return survives(vault, [&] {
		hanging.emplace(folder.path());
		for (int i = 0; i < 16; ++i) { // so that they are looked at
			std::ofstream(folder.path() / std::to_string(i), std::ios::app) << "\n";
		}
		hanging->await(1);
		keepFromFile(well, 0); // its file is read all the same
	});
}

bool theCaFileHangs()
{
	const TempDir servers;
	const TempDir ours;
	TestPki authority(servers.path());
	const auto caFile = ours.path() / "ca.pem";
	std::filesystem::copy_file(authority.caFile(), caFile);
	FakeVault::Options options;
	options.listening.tls = authority.server();
	Vault vault(options);
	vault.keep(vault.server.address(), lease, R"(,"tls":{"ca_file":")" + caFile.string() + R"("})");
	std::optional<HangingFiles> hanging;
	return survives(vault, [&] {
		hanging.emplace(ours.path());
		std::filesystem::last_write_time(caFile, File::clock::now() + 1h);
		vault.server.stop(); // each connection is made anew
		vault.server.start();
		hanging->await(1);
	});
}

/// Of this program's sockets, those to `port` whose other end was closed and this one not.
int halfClosed(std::uint16_t port)
{
	std::array<char, 8> wanted{};
	std::snprintf(wanted.data(), wanted.size(), ":%04X", unsigned{port});
	int count = 0;
	std::ifstream table("/proc/self/net/tcp");
	for (std::string line; std::getline(table, line);) {
		std::istringstream fields(line);
		std::string number;
		std::string local;
		std::string remote;
		std::string state;
		fields >> number >> local >> remote >> state;
		constexpr std::string_view closeWait = "08";
		count += remote.ends_with(wanted.data()) && state == closeWait ? 1 : 0;
	}
	return count;
}

bool theServerClosesWhatIdles()
{
	constexpr int count = 16;
	Vault vault;
	Relay relay(vault.port(), {"127.0.0.1", 0, count});
	for (int i = 0; i < count; ++i) {
		vault.keep(relay.address(), longLease);
	}
	vault.awaitActive();
	relay.closeAll();
	std::mutex mutex;
	std::unique_lock lock(mutex);
	std::condition_variable never;
	const auto limit = std::chrono::steady_clock::now() + 30s;
	while (halfClosed(relay.port()) > 0 && std::chrono::steady_clock::now() < limit) {
		never.wait_for(lock, 50ms);
	}
	return halfClosed(relay.port()) == 0 && vault.allAlive();
}

struct World
{
	const char* name;
	std::function<bool()> lives; ///< all of its tokens
};

const std::vector<World>& worlds()
{
	static const std::vector<World> all{
		{"OneConnectionSaysSealed", [] { return oneConnectionAnswersBadly(Way::sealed); }},
		{"OneConnectionIsCutOffFromItsCluster", [] { return oneConnectionAnswersBadly(Way::cutOff); }},
		{"OneOfTwoAddressesSaysSealedAndCloses",
			[] { return oneOfTwoAddressesAnswersBadly("sealed.test", Way::sealedOff); }},
		{"OneOfTwoAddressesIsSilent", [] { return oneOfTwoAddressesAnswersBadly("silent.test", Way::silent); }},
		{"TheNameMovesWhileTheOldNodeSaysSealed", theNameMoves},
		{"TheResolverFailsWhenItIsNeeded", [] { return theResolverIsAway("fails.test", &names::fail); }},
		{"TheResolverHangsWhenItIsNeeded", [] { return theResolverIsAway("hangs.test", &names::hang); }},
		{"SixteenKeptConnectionsHang", sixteenKeptConnectionsHang},
		{"SixteenNeighboursAtTheServerHang", sixteenNeighboursHang},
		{"ADeadServerHas130Issuers", aDeadServerHasManyIssuers},
		{"EightNamesOfNeighboursDoNotResolve", neighboursNamesDoNotResolve},
		{"SixteenTokenFilesHang", tokenFilesHang},
		{"TheCaFileHangs", theCaFileHangs},
		{"TheServerClosesWhatIdles", theServerClosesWhatIdles},
	};
	return all;
}

/// Returns an engine that lets so many requests be under way, as in a process whose descriptors are few.
std::shared_ptr<vault::Services> servicesWithSlots(rlim_t slots)
{
	rlimit limit{};
	::getrlimit(RLIMIT_NOFILE, &limit);
	const auto before = limit.rlim_cur;
	limit.rlim_cur = 4 * slots;
	::setrlimit(RLIMIT_NOFILE, &limit);
	auto services = vault::servicesSource()();
	limit.rlim_cur = before;
	::setrlimit(RLIMIT_NOFILE, &limit);
	return services;
}

class WholePlugin : public testing::TestWithParam<std::size_t>
{
protected:
	/// Begins all worlds that are asked for, since each takes as long as its leases.
	static void SetUpTestSuite()
	{
		services() = servicesWithSlots(128);
		const auto& suite = *testing::UnitTest::GetInstance()->current_test_suite();
		for (std::size_t i = 0; i < worlds().size(); ++i) {
			if (suite.GetTestInfo(static_cast<int>(i))->should_run()) {
				running()[i] = std::async(std::launch::async, worlds()[i].lives);
			}
		}
	}
	static void TearDownTestSuite()
	{
		names::release();
		running().clear();
		services().reset();
	}
	/// Kept for all worlds.
	static std::shared_ptr<vault::Services>& services()
	{
		static std::shared_ptr<vault::Services> all;
		return all;
	}
	static std::map<std::size_t, std::future<bool>>& running()
	{
		static std::map<std::size_t, std::future<bool>> all;
		return all;
	}
};

TEST_P(WholePlugin, KeepsItsTokensAliveWhere)
{
	EXPECT_TRUE(running().at(GetParam()).get()) << "a token is dead that its server would have renewed";
}

INSTANTIATE_TEST_SUITE_P(, WholePlugin, testing::Range(std::size_t{0}, worlds().size()),
	[](const auto& param) { return worlds()[param.param].name; });

} // namespace
} // namespace issuer::test
