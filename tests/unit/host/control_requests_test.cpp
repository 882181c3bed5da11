#include "commands/control_requests.h"

#include "fake_plugin.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace issuer::commands {
namespace {

using issuer::test::FakeWorld;
using testing::HasSubstr;
using testing::StartsWith;

class ControlRequests : public testing::Test
{
protected:
	void SetUp() override
	{
		ASSERT_TRUE(registry.apply({FakeWorld::spec("a", "old")}));
		ASSERT_TRUE(world.told.waitFor("a started: with Fake old"));
	}

	std::string answer(const std::string& request) { return answerControl(registry, fleet, actions, request); }

	observe::Fleet fleet;
	HostActions actions;
	FakeWorld world;
	registry::Registry registry{world.plugins, world.surroundings};
};

TEST_F(ControlRequests, StatusIsAllIssuers)
{
	EXPECT_THAT(answer(R"({"do":"status"})"), StartsWith("{\"ok\":true,\"pid\":" + std::to_string(::getpid()) +
														 ",\"issuers\":[{\"name\":\"a\",\"phase\":\"running\","));
}

TEST_F(ControlRequests, IssuersIsWhatTheStatusPageKnows)
{
	EXPECT_THAT(answer(issuersRequest({})), StartsWith("{\"ok\":true,\"unix_ms\":"));
	EXPECT_THAT(answer(issuersRequest("a")), HasSubstr("\"matching\":1,"));
	EXPECT_THAT(answer(issuersRequest("b \"c\"")), HasSubstr("\"matching\":0,"));
	EXPECT_THAT(answer(R"({"do":"issuers","limit":-1})"), StartsWith("{\"ok\":false,\"error\":\"limit is"));
}

TEST_F(ControlRequests, FleetIsToldByAMemberOfOne)
{
	EXPECT_THAT(
		answer(fleetRequest()), StartsWith("{\"ok\":false,\"error\":\"this host shares its issuers with no other"));
	actions.fleet = [] {
		observe::FleetStatus status;
		status.fleet = "prod";
		return status;
	};
	EXPECT_THAT(answer(fleetRequest()), StartsWith(R"({"ok":true,"fleet":{"name":"prod",)"));
}

TEST_F(ControlRequests, ReadersLookAndChangeNothing)
{
	const auto asReader = [&](const std::string& request) {
		return answerControl(registry, fleet, actions, request, control::Peer::reader);
	};
	EXPECT_THAT(asReader(R"({"do":"status"})"), StartsWith("{\"ok\":true"));
	EXPECT_THAT(asReader(issuersRequest({})), StartsWith("{\"ok\":true"));
	actions.fleet = [] { return observe::FleetStatus(); };
	EXPECT_THAT(asReader(fleetRequest()), StartsWith("{\"ok\":true,\"fleet\":{"));
	for (const std::string& request : {swapRequest("a", {"next", {}}), nudgeRequest("a", registry::Nudge::renewNow),
			 reloadRequest(ReloadMode::wait), logLevelRequest("debug"), std::string(R"({"do":"anything"})")}) {
		EXPECT_THAT(asReader(request), HasSubstr("may ask for status, issuers and fleet alone")) << request;
	}
}

TEST_F(ControlRequests, TheLogLevelIsSetIfThereIsSuchAOne)
{
	std::optional<issuer_log_level> set;
	actions.setLogLevel = [&](issuer_log_level level) { set = level; };
	EXPECT_THAT(answer(logLevelRequest("loud")), StartsWith("{\"ok\":false"));
	EXPECT_EQ(set, std::nullopt);
	EXPECT_THAT(answer(logLevelRequest("warn")), StartsWith("{\"ok\":true"));
	EXPECT_EQ(set, ISSUER_LOG_WARN);
}

TEST_F(ControlRequests, SwapTellsItsResult)
{
	EXPECT_EQ(answer(swapRequest("a", {"next", {}})),
		R"({"ok":true,"result":"swapped","text":"issuer a goes on with next"})");
	EXPECT_EQ(
		answer(swapRequest("b", {"next", {}})), R"({"ok":false,"result":"refused","error":"there is no issuer b"})");
	world.old.answer("start", {ISSUER_E_UNAVAILABLE});
	EXPECT_EQ(answer(swapRequest("a", {"old", {}})),
		R"({"ok":false,"result":"rolled_back","error":"issuer a goes on as before: the new one does not start: start says 9"})");
}

TEST_F(ControlRequests, NudgesReachTheIssuersPlugin)
{
	EXPECT_EQ(answer(nudgeRequest("a", registry::Nudge::renewNow)),
		R"({"ok":false,"error":"issuer a: its plugin has no issuer.control/1"})");
	world.next.offersControl = true;
	ASSERT_EQ(registry.swap("a", {"next", {}}).result, registry::SwapReport::Result::swapped);
	EXPECT_EQ(answer(nudgeRequest("a", registry::Nudge::renewNow)), R"({"ok":true})");
	EXPECT_TRUE(world.calls.waitFor("next.renew"));
	EXPECT_EQ(answer(nudgeRequest("a", registry::Nudge::credentialChanged)), R"({"ok":true})");
	EXPECT_TRUE(world.calls.waitFor("next.reread"));
	world.next.answer("renew", {ISSUER_E_STATE});
	EXPECT_EQ(answer(nudgeRequest("a", registry::Nudge::renewNow)), R"({"ok":false,"error":"issuer a: renew says 2"})");
	EXPECT_EQ(answer(nudgeRequest("b", registry::Nudge::renewNow)), R"({"ok":false,"error":"there is no issuer b"})");
}

TEST_F(ControlRequests, TheSumIsPassedOn)
{
	EXPECT_EQ(swapRequest("a \"b\"", {"/p.so", "abc"}),
		R"({"do":"swap","issuer":"a \"b\"","plugin":"/p.so","sha256":"abc"})");
}

TEST_F(ControlRequests, BytesThatAreNoRequestAreToldSo)
{
	for (const char* request : {"", "nonsense", "[]", "7", R"({"do":"explode"})", R"({"do":[]})", "{}",
			 R"({"do":"swap","issuer":[],"plugin":{}})", R"([[[[[[[[[[[[]]]]]]]]]]]])"}) {
		EXPECT_THAT(answer(request), StartsWith("{\"ok\":false,")) << request;
	}
	EXPECT_THAT(answer(R"({"do":"explode"})"),
		HasSubstr("is status, issuers, fleet, swap, renew, reread, reload or log_level"));
}

} // namespace
} // namespace issuer::commands
