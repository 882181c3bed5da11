#include "child_process.h"
#include "temp_dir.h"
#include "vault_fixture.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>

namespace issuer::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A host with one issuer whose start waits for its first look-up, as `startup` does by default.
class HostWithFailFastIssuer : public testing::Test
{
protected:
	HostWithFailFastIssuer()
	{
		directory.write("host.json", R"({"issuers":[{"name":"a","plugin":")" ISSUER_VAULT_PLUGIN
									 R"(","config":{"address":")" +
										 vault.address() + R"(","token":{"file":")" + token.string() + R"("}}}]})");
	}

	void put(const std::string& text) const
	{
		std::ofstream(token.string() + ".next") << text << '\n';
		fs::rename(token.string() + ".next", token);
	}

	/// Runs the host until it says `first`, does `mend`, and waits until it says that the issuer has started.
	void heals(const std::string& first, const std::function<void()>& mend)
	{
		ChildProcess host(
			ISSUER_HOST, {"run", "--config", (directory.path() / "host.json").string(), "--control", "none"});
		ASSERT_TRUE(says(host, first));
		mend();
		ASSERT_TRUE(says(host, "  started "));
		host.signal(SIGTERM);
		EXPECT_EQ(host.wait(), 0);
	}

	static bool says(ChildProcess& host, const std::string& text)
	{
		for (auto line = host.readLine(); line; line = host.readLine()) {
			if (line->find(text) != line->npos) {
				return true;
			}
		}
		return false;
	}

	FakeVault vault;
	TempDir directory;
	const fs::path token = directory.path() / "token";
};

TEST_F(HostWithFailFastIssuer, TakesATokenThatWasMissingAtItsStartAtOnce)
{
	heals("start failed", [&] { put(vault.api().createToken({.ttl = 1h})); });
}

TEST_F(HostWithFailFastIssuer, TakesATokenWhoseFileWasEmptyAtItsStartAtOnce)
{
	put("");
	heals("start failed", [&] { put(vault.api().createToken({.ttl = 1h})); });
}

TEST_F(HostWithFailFastIssuer, TakesATokenInPlaceOfADeadOneAtOnce)
{
	put("hvs.dead");
	heals("start failed", [&] { put(vault.api().createToken({.ttl = 1h})); });
}

} // namespace
} // namespace issuer::test
