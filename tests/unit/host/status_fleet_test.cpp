#include "commands/commands.h"
#include "commands/exit_codes.h"
#include "control/server.h"
#include "observe/events/fleet_status.h"
#include "observe/web/fleet_json.h"

#include "temp_dir.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <string>
#include <string_view>

namespace issuer::commands {
namespace {

/// `status --fleet` ends the process itself.
TEST(StatusOfAFleet, NamesNoPartOfTheIssuersWhenTheHostStopsAnswering)
{
	const issuer::test::TempDir temp;
	const std::filesystem::path socket = temp.path() / "control.sock";
	const auto host = control::Server::listen(socket, [&](std::string_view, control::Peer) {
		std::filesystem::remove(socket); // no further request reaches it
		std::string answer = observe::web::fleetJson(observe::FleetStatus());
		return answer.replace(0, 1, "{\"ok\":true,");
	});
	ASSERT_TRUE(host) << host.error().text;
	const auto status = makeStatus();
	std::string value = socket;
	status->setOption("control", value);
	status->setOption("fleet", value);
	status->setOption("json", value);
	EXPECT_EXIT(status->run({}), testing::ExitedWithCode(exitUnavailable), "there is no such socket");
}

} // namespace
} // namespace issuer::commands
