#include "vault_fixture.h"

#include <Poco/ErrorHandler.h>
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <vector>

/// The plugin's effects on its process, and the state it leaves behind.
namespace issuer::test {
namespace {

namespace fs = std::filesystem;

/// The plugin's threads, by the names it gives them, and a line of each one's status.
std::vector<std::string> pluginThreads(const std::string& field)
{
	std::vector<std::string> values;
	for (const auto& task : fs::directory_iterator("/proc/self/task")) {
		std::ifstream status(task.path() / "status");
		std::string name;
		std::string line;
		std::getline(status, name);
		if (name.find("issuer-") == std::string::npos) {
			continue;
		}
		while (std::getline(status, line)) {
			if (line.starts_with(field + ":\t")) {
				values.push_back(line.substr(field.size() + 2));
			}
		}
	}
	return values;
}

bool isMapped(const std::string& path)
{
	std::ifstream maps("/proc/self/maps");
	std::string line;
	while (std::getline(maps, line)) {
		if (line.find(path) != std::string::npos) {
			return true;
		}
	}
	return false;
}

TEST_F(VaultTest, NoThreadIsLeftWhenTheLastInstanceHasStopped)
{
	TestIssuer first(plugin, host, config(tokenFor({.ttl = 60s})));
	TestIssuer second(plugin, host, config(tokenFor({.ttl = 60s})));
	EXPECT_TRUE(pluginThreads("Name").empty());
	ASSERT_EQ(first.start(), ISSUER_OK);
	ASSERT_EQ(second.start(), ISSUER_OK);
	EXPECT_FALSE(pluginThreads("State").empty());
	EXPECT_EQ(first.stop(), ISSUER_OK);
	EXPECT_FALSE(pluginThreads("State").empty());
	EXPECT_EQ(second.stop(), ISSUER_OK);
	EXPECT_TRUE(pluginThreads("State").empty());
}

TEST_F(VaultTest, ManyInstancesShareFewThreads)
{
	std::list<TestIssuer> issuers;
	for (int i = 0; i < 200; ++i) {
		issuers.emplace_back(plugin, host, config(tokenFor({.ttl = 600s}), R"(,"startup":"background")"));
		ASSERT_EQ(issuers.back().start(), ISSUER_OK);
	}
	ASSERT_TRUE(vault->log().waitForCount("lookup-self", 200));
	EXPECT_LE(pluginThreads("State").size(), 66);
	for (auto& issuer : issuers) {
		static_cast<void>(issuer.stop(0));
	}
}

TEST_F(VaultTest, ItsThreadsBlockEverySignalThatIsNotTheirOwnFault)
{
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s})));
	ASSERT_EQ(issuer.start(), ISSUER_OK);
	const auto masks = pluginThreads("SigBlk");
	ASSERT_FALSE(masks.empty());
	for (const auto& mask : masks) {
		const auto blocked = std::stoull(mask, nullptr, 16);
		for (const int signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1}) {
			EXPECT_NE(blocked & (1ULL << (signal - 1)), 0) << signal;
		}
	}
}

TEST_F(VaultTest, ItsDescriptorsAreNotInherited)
{
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s})));
	std::vector<int> before;
	const auto open = [] {
		std::vector<int> fds;
		for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
			fds.push_back(std::stoi(entry.path().filename()));
		}
		return fds;
	};
	vault->stop(); // so that its own connections are not taken for the plugin's
	before = open();
	vault->start();
	ASSERT_EQ(issuer.start(), ISSUER_OK);
	const auto after = open();
	int own = 0;
	for (const int fd : after) {
		std::error_code error;
		const auto target = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error).string();
		const bool isPlugins = target.find("eventfd") != std::string::npos ||
							   target.find("timerfd") != std::string::npos ||
							   target.find("inotify") != std::string::npos;
		if (!error && isPlugins && std::ranges::find(before, fd) == before.end()) {
			++own;
			EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << target;
		}
	}
	EXPECT_GE(own, 2);
}

TEST_P(OverEither, TheLibraryIsGoneAfterItsLastUseTimeAndAgain)
{
	const auto token = tokenFor({.ttl = 60s});
	const TempDir folder;
	auto* const errorHandler = Poco::ErrorHandler::get();
	for (int round = 0; round < 10; ++round) {
		const auto path = folder.path() / ("plugin-" + std::to_string(round) + ".so");
		fs::copy_file(ISSUER_VAULT_PLUGIN, path);
		{
			const LoadedPlugin loaded(path.string());
			EXPECT_TRUE(isMapped(path.string()));
			TestIssuer issuer(loaded, host, config(token));
			ASSERT_EQ(issuer.start(), ISSUER_OK) << issuer.message();
			ASSERT_EQ(
				loaded.extension<issuer_control_ext>(ISSUER_EXT_CONTROL)->renew_now(issuer.get(), nullptr), ISSUER_OK);
			ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_SUCCESS, round + 1));
		}
		EXPECT_FALSE(isMapped(path.string()));
	}
	EXPECT_EQ(Poco::ErrorHandler::get(), errorHandler);
	EXPECT_TRUE(pluginThreads("State").empty());
}

INSTANTIATE_TEST_SUITE_P(, OverEither, testing::Values(Over::tcp, Over::tls),
	[](const auto& param) { return param.param == Over::tcp ? "Tcp" : "Tls"; });

} // namespace
} // namespace issuer::test
