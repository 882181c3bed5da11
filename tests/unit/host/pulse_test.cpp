#include "commands/pulse.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace issuer::commands {
namespace {

using observe::IssuerView;
using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

IssuerView view(const std::string& name, issuer_state state)
{
	IssuerView one;
	one.told.name = name;
	one.told.state = state;
	one.host.name = name;
	one.host.phase = observe::Phase::running;
	return one;
}

TEST(Pulses, TellOtherMembersHowTheIssuersAre)
{
	const auto pulse = pulseFrom(pulseText({view("a", ISSUER_STATE_EXPIRED), view("b", ISSUER_STATE_NO_EXPIRY),
		view("c", ISSUER_STATE_NO_EXPIRY), view("d", ISSUER_STATE_RETRYING)}));
	ASSERT_TRUE(pulse);
	EXPECT_THAT(pulse->severities, ElementsAre(Pair("dead", 1U), Pair("endangered", 1U), Pair("well", 2U)));
	EXPECT_THAT(pulse->worst, ElementsAre(Pair("a", "dead"), Pair("d", "endangered")));
}

TEST(Pulses, OfAnotherVersionAreTakenAsFarAsTheyMakeSense)
{
	for (const char* text : {"", "nonsense", "[]", "{}", R"({"severities":{"well":-1},"worst":[]})",
			 R"({"severities":{"well":"many"},"worst":[]})", R"({"severities":{},"worst":[{"severity":"dead"}]})"}) {
		EXPECT_FALSE(pulseFrom(text)) << text;
	}
	const auto pulse =
		pulseFrom(R"({"severities":{"well":1,"<b>":2},"worst":[7,{"name":"a","severity":"grumpy"}],"more":1})");
	ASSERT_TRUE(pulse);
	EXPECT_THAT(pulse->severities, ElementsAre(Pair("well", 1U)));
	EXPECT_THAT(pulse->worst, SizeIs(0));
}

TEST(Pulses, AreAddedToTheMembersAndThisHostKnowsItsOwnBest)
{
	observe::FleetStatus status;
	status.member = "host-a";
	status.members.resize(3);
	status.members[0].name = "host-a";
	status.members[1].name = "host-b";
	status.members[2].name = "host-c";
	const auto ofWell = [](int well) {
		return R"({"severities":{"well":)" + std::to_string(well) + R"(},"worst":[]})";
	};
	addPulses(status, {{"host-a", ofWell(1)}, {"host-b", ofWell(2)}, {"gone", ofWell(3)}}, ofWell(4));
	ASSERT_TRUE(status.members[0].pulse && status.members[1].pulse);
	EXPECT_EQ(status.members[0].pulse->severities["well"], 4U);
	EXPECT_EQ(status.members[1].pulse->severities["well"], 2U);
	EXPECT_FALSE(status.members[2].pulse);
}

TEST(Pulses, AreReadOnceForAllReadersAtATime)
{
	int reads = 0;
	const PulseReader reader([&](const PulseReader::Take& take) {
		++reads;
		take({{"host-b", "text"}});
	});
	EXPECT_THAT(reader.latest(), ElementsAre(Pair("host-b", "text")));
	EXPECT_THAT(reader.latest(), ElementsAre(Pair("host-b", "text")));
	EXPECT_EQ(reads, 1);
}

TEST(Pulses, ThatDoNotComeDelayNoReaderAndMayComeLater)
{
	std::vector<PulseReader::Take> asked;
	const PulseReader reader([&](PulseReader::Take take) { asked.push_back(std::move(take)); });
	EXPECT_THAT(reader.latest(), SizeIs(0)); // after a second
	ASSERT_EQ(asked.size(), 1U);
	asked.front()({{"host-b", "text"}});
	EXPECT_THAT(reader.latest(), ElementsAre(Pair("host-b", "text")));
}

} // namespace
} // namespace issuer::commands
