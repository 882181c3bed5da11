#include "commands/commands.h"
#include "commands/exit_codes.h"
#include "control/server.h"

#include "temp_dir.h"

#include <fstream>
#include <gmock/gmock.h>

namespace issuer::commands {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

/// Two staged versions, and a host whose answers a test sets.
class AGc : public testing::Test
{
protected:
	void SetUp() override
	{
		for (const fs::path& version : {old, newest}) {
			fs::create_directories(version.parent_path());
			std::ofstream(version) << "code";
		}
	}

	int run(const std::string& hostSays, const std::vector<std::string>& options = {})
	{
		const auto host = control::Server::listen(socket, [&](std::string_view, control::Peer) { return hostSays; });
		const auto gc = makeGc();
		std::string control = socket;
		std::string folder = plugins;
		gc->setOption("control", control);
		gc->setOption("plugin-dir", folder);
		for (const std::string& option : options) {
			std::string none;
			gc->setOption(option, none);
		}
		testing::internal::CaptureStdout();
		testing::internal::CaptureStderr();
		const int code = host ? gc->run({}) : throw std::runtime_error(host.error().text);
		complaint = testing::internal::GetCapturedStderr();
		removed = testing::internal::GetCapturedStdout();
		return code;
	}

	issuer::test::TempDir temp;
	const fs::path socket = temp.path() / "control.sock";
	const fs::path plugins = temp.path() / "plugins";
	const fs::path old = plugins / "x" / "1.0.0-aaaaaaaaaaaa" / "x_plugin.so";
	const fs::path newest = plugins / "x" / "2.0.0-bbbbbbbbbbbb" / "x_plugin.so";
	std::string complaint;
	std::string removed;
};

TEST_F(AGc, RemovesWhatAHostThatAnswersDoesNotUse)
{
	EXPECT_EQ(run(R"({"ok":true,"issuers":[]})"), exitOk);
	EXPECT_EQ(removed, old.string() + '\n');
	EXPECT_FALSE(fs::exists(old));
	EXPECT_TRUE(fs::exists(newest));
}

TEST_F(AGc, RemovesWhatAKilledStageHasLeftBehind)
{
	const fs::path leftover = plugins / ".staging-Xy12Zz";
	fs::create_directory(leftover);
	std::ofstream(leftover / "plugin.so") << "half";
	EXPECT_EQ(run(R"({"ok":true,"issuers":[]})", {"dry-run"}), exitOk);
	EXPECT_EQ(removed, leftover.string() + '\n' + old.string() + '\n');
	EXPECT_TRUE(fs::exists(leftover / "plugin.so"));
	EXPECT_EQ(run(R"({"ok":true,"issuers":[]})"), exitOk);
	EXPECT_EQ(removed, leftover.string() + '\n' + old.string() + '\n');
	EXPECT_FALSE(fs::exists(leftover));
}

TEST_F(AGc, KeepsWhatAHostUses)
{
	EXPECT_EQ(run(R"({"ok":true,"issuers":[{"plugin":{"path":")" + old.string() + R"("}}]})"), exitOk);
	EXPECT_TRUE(fs::exists(old));
}

TEST_F(AGc, RemovesNothingWhenAHostIsThereAndDoesNotSayWhatItUses)
{
	EXPECT_EQ(run(R"({"ok":false,"error":"too many ask at the same time"})"), exitUnavailable);
	EXPECT_THAT(complaint, HasSubstr(socket.string() + ": too many ask at the same time\n"));
	EXPECT_EQ(run("nonsense"), exitUnavailable);
	EXPECT_EQ(run("{}"), exitUnavailable) << "which says neither yes nor no";
	EXPECT_TRUE(fs::exists(old));
}

} // namespace
} // namespace issuer::commands
