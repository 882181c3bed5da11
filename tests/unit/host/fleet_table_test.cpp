#include "commands/fleet_table.h"

#include "fleet_answer.h"

#include <Poco/JSON/Array.h>
#include <gmock/gmock.h>

namespace issuer::commands {
namespace {

using observe::FleetStatus;
using testing::HasSubstr;
using testing::Not;

class AFleetTable : public testing::Test
{
protected:
	AFleetTable()
	{
		status.fleet = "prod";
		status.member = "host-a";
		status.joined = true;
		status.engineUp = true;
		status.members = {{"host-a", "", "0.1.0", 2048, {}, FleetStatus::Pulse{{{"well", 12}}, {}}},
			{"host-b", "https://host-b:9464", "0.1.0", 2048, 3,
				FleetStatus::Pulse{{{"dead", 1}, {"elsewhere", 12}, {"well", 2}}, {{"web", "dead"}}}}};
	}

	[[nodiscard]] std::string table() const { return fleetTable(*issuer::test::fleetAnswer(status)); }

	FleetStatus status;
};

TEST_F(AFleetTable, HasALineForEachMemberAndTheWorstOfAll)
{
	EXPECT_EQ(table(), "fleet prod of 2 members, seen from host-a: etcd answers\n"
					   "MEMBER  ISSUERS         SHARDS  VERSION  PAGE\n"
					   "host-a  12 well         2048    0.1.0\n"
					   "host-b  1 dead, 2 well  2048    0.1.0    https://host-b:9464\n"
					   "dead: web, kept by host-b\n");
}

TEST_F(AFleetTable, NamesMembersWhosePagesWereNotRead)
{
	const auto fleet = issuer::test::fleetAnswer(status);
	fleet->getArray("members")->getObject(1)->set("trouble", std::string("it has no \"url\""));
	EXPECT_THAT(fleetTable(*fleet), HasSubstr("https://host-b:9464\n"
											  "the page of host-b was not read: it has no \"url\"; shown is what it "
											  "wrote into etcd last\n"
											  "dead: web"));
}

TEST_F(AFleetTable, SaysWhenTheEngineIsAwayAndWhichIssuersAreNotKept)
{
	status.engineUp = false;
	status.secondsSinceAnswer = 72;
	status.members[1].pulse.reset();
	status.watchedOver = 3;
	status.unkept = {"x", "y\x1b[31m"};
	const auto text = table();
	EXPECT_THAT(text, HasSubstr("etcd has not answered for 1 min 12 s: nothing changes hands\n"));
	EXPECT_THAT(text, HasSubstr("host-b  not told"));
	EXPECT_THAT(text, HasSubstr("this host watches over 3 issuers that others are not seen to renew\n"));
	EXPECT_THAT(text, HasSubstr("no host is seen to keep x, y"));
	EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(AFleetTable, NamesTheWorstOfAllMembersFirst)
{
	status.members[0].pulse = FleetStatus::Pulse{{{"ending", 1}}, {{"api", "ending"}}};
	const auto text = table();
	EXPECT_LT(text.find("dead: web, kept by host-b"), text.find("ending: api, kept by host-a"));
}

} // namespace
} // namespace issuer::commands
