#include "child_process.h"
#include "core_dump.h"
#include "temp_dir.h"
#include "vault_fixture.h"

#include <csignal>
#include <gtest/gtest.h>
#include <string>

namespace issuer::test {
namespace {

class CoreOfAHost : public OverEither
{
protected:
	/// One that is named so, with its token in a file; how it talks to the server as the test wants it.
	[[nodiscard]] std::string configuration(const std::string& name, const std::string& tokenFile) const
	{
		return R"({"issuers":[{"name":")" + name + R"(","plugin":")" ISSUER_VAULT_PLUGIN R"(","config":{"address":")" +
			   vault->address() + R"(","token":{"file":")" + tokenFile + R"("})" + transport() + "}}]}";
	}
};

/// The host has sent its token, over a connection that is still open, and got replies that repeat it. Left to itself it
/// leaves no core dump; this is the second line, for memory that is read in other ways.
TEST_P(CoreOfAHost, ThatHasRenewedHoldsNoToken)
{
	if (const auto why = coreDumpObstacle(ISSUER_SANITIZE); !why.empty()) {
		GTEST_SKIP() << why;
	}
	const auto token = vault->api().createToken({.ttl = 4s});
	const auto control = "CONTROL" + std::string(24, 'z');
	const TempDir directory;
	const auto file = directory.write("token", token + "\n").string();
	const auto config = directory.write("host.json", configuration(control, file)).string();

	ChildProcess process(
		"/bin/sh", {"-c", "ulimit -c unlimited && cd \"$0\" && LD_PRELOAD=\"$3\" exec \"$1\" run --config \"$2\"",
					   directory.path().string(), ISSUER_HOST, config, ISSUER_STAYS_DUMPABLE});
	for (int renewals = 0; renewals < 2;) {
		const auto line = process.readLine();
		ASSERT_TRUE(line) << "it ended before it had renewed";
		renewals += line->find("  renewed ") != line->npos ? 1 : 0;
	}
	process.signal(SIGABRT);
	ASSERT_EQ(process.wait(), 128 + SIGABRT);

	const auto core = coreDumpIn(directory.path());
	if (!core) {
		GTEST_SKIP() << "the kernel wrote no core dump into the working directory";
	}
	EXPECT_NE(core->find(control), core->npos) << "not even what must be in it";
	EXPECT_EQ(core->find(token), core->npos);
	EXPECT_EQ(core->find(token.substr(token.size() / 2)), core->npos) << "a part of the token is in it";
}

INSTANTIATE_TEST_SUITE_P(, CoreOfAHost, testing::Values(Over::tcp, Over::tls),
	[](const auto& param) { return param.param == Over::tcp ? "Tcp" : "Tls"; });

} // namespace
} // namespace issuer::test
