#include "commands/fleet_pages.h"

#include "observe/fleet/fleet.h"
#include "observe/metrics/metrics.h"
#include "observe/web/server.h"

#include "fleet_answer.h"

#include <Poco/JSON/Array.h>
#include <gmock/gmock.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace issuer::commands {
namespace {

using namespace std::chrono_literals;
using observe::FleetStatus;
using Poco::JSON::Object;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A fleet of three as host-a sees it, and pages that a test writes.
class TheMembersPages : public testing::Test
{
protected:
	TheMembersPages()
	{
		status.fleet = "prod";
		status.member = "host-a";
		const auto pulse = [](const char* worst) {
			return FleetStatus::Pulse{{{"dead", 1}, {"well", 7}}, {{worst, "dead"}}};
		};
		status.members = {{"host-a", "https://host-a", "0.1.0", 1, {}, pulse("of-a")},
			{"host-b", "https://host-b", "0.1.0", 1, {}, pulse("of-b")}, {"host-c", "", "0.1.0", 1, {}, pulse("of-c")}};
	}

	[[nodiscard]] std::vector<ToldIssuer> ask(Issuers wanted, std::chrono::milliseconds limit = 1min)
	{
		fleet = issuer::test::fleetAnswer(status);
		return askMembers(*fleet, wanted, page, limit);
	}

	/// Returns what the answer says of a member.
	[[nodiscard]] std::string of(unsigned number, const char* key) const
	{
		return fleet->getArray("members")->getObject(number)->optValue<std::string>(key, "null");
	}

	[[nodiscard]] std::vector<std::string> worst() const { return lines("worst"); }

	[[nodiscard]] std::vector<std::string> lines(const char* key) const
	{
		std::vector<std::string> all;
		const auto list = fleet->getArray(key);
		for (unsigned i = 0; i < list->size(); ++i) {
			const auto one = list->getObject(i);
			all.push_back(one->getValue<std::string>("severity") + ' ' + one->getValue<std::string>("name") + " by " +
						  one->getValue<std::string>("kept_by"));
		}
		return all;
	}

	static std::string issuers(const std::vector<std::pair<std::string, std::string>>& told)
	{
		std::string list;
		for (const auto& [name, severity] : told) {
			list += (list.empty() ? "" : ",") + (R"({"name":")" + name + R"(","severity":")" + severity + "\"}");
		}
		return R"({"severities":{"dead":0,"well":2},"issuers":[)" + list + "]}";
	}

	FleetStatus status;
	AskPage page = [](const std::string&, const std::string&) { return issuers({{"x", "endangered"}, {"y", "well"}}); };
	Object::Ptr fleet;
};

TEST_F(TheMembersPages, StandInPlaceOfWhatTheyWroteIntoTheEngine)
{
	static_cast<void>(ask(Issuers::worst));
	EXPECT_EQ(of(1, "told_by"), "page");
	EXPECT_EQ(of(1, "trouble"), "null");
	EXPECT_EQ(fleet->getArray("members")->getObject(1)->getObject("severities")->getValue<int>("well"), 2);
	EXPECT_THAT(worst(), ElementsAre("dead of-a by host-a", "dead of-c by host-c", "endangered x by host-b"));
}

TEST_F(TheMembersPages, ThatCannotBeReadAreNamedAndTheirPulseStays)
{
	page = [](const std::string&, const std::string&) { return failure("Connection refused"); };
	EXPECT_THAT(ask(Issuers::worst), IsEmpty());
	EXPECT_EQ(of(0, "trouble"), "null");
	EXPECT_EQ(of(1, "told_by"), "pulse");
	EXPECT_EQ(of(1, "trouble"), "Connection refused");
	EXPECT_EQ(of(2, "trouble"), "it has no \"url\"");
	EXPECT_EQ(fleet->getArray("members")->getObject(2)->getObject("severities")->getValue<int>("well"), 7);
	EXPECT_THAT(worst(), ElementsAre("dead of-a by host-a", "dead of-b by host-b", "dead of-c by host-c"));
}

TEST_F(TheMembersPages, ThatMakeNoSenseAreNamed)
{
	for (const char* text :
		{"", "[]", "{}", R"({"severities":{},"issuers":[7]})", R"({"severities":1,"issuers":[]})"}) {
		page = [text](const std::string&, const std::string&) { return std::string(text); };
		static_cast<void>(ask(Issuers::worst));
		EXPECT_EQ(of(1, "trouble"), "its answer makes no sense to this version") << text;
	}
}

TEST_F(TheMembersPages, AreAskedAllAtOnceAndWaitedForInSum)
{
	struct Gate
	{
		std::mutex mutex;
		std::condition_variable changed;
		std::size_t asked = 0;
	};
	const auto gate = std::make_shared<Gate>();
	status.members[2].url = "https://host-c";
	page = [gate](const std::string& url, const std::string&) { // answers once both are asked; host-c never does
		std::unique_lock lock(gate->mutex);
		++gate->asked;
		gate->changed.notify_all();
		gate->changed.wait(lock, [&] { return url == "https://host-b" ? gate->asked >= 2 : gate->asked == 99; });
		return issuers({});
	};
	static_cast<void>(ask(Issuers::worst, 300ms));
	EXPECT_EQ(of(1, "told_by"), "page");
	EXPECT_EQ(of(2, "told_by"), "pulse");
	EXPECT_EQ(of(2, "trouble"), "it has not told all in time");
	const std::lock_guard lock(gate->mutex);
	gate->asked = 99;
	gate->changed.notify_all();
}

TEST_F(TheMembersPages, AreReadToTheirEndForTheKeeperOfEachIssuer)
{
	std::vector<std::string> asked;
	page = [&](const std::string&, const std::string& path) {
		asked.push_back(path);
		std::vector<std::pair<std::string, std::string>> all;
		for (int i = 0; i < 1000 && asked.size() == 1; ++i) {
			all.emplace_back("b" + std::to_string(i), "well");
		}
		return issuers(asked.size() == 1 ? all : decltype(all){{"last", "dead"}});
	};
	const auto told = ask(Issuers::all);
	EXPECT_EQ(told.size(), 1001U);
	EXPECT_THAT(asked, ElementsAre("/api/v1/issuers?severity=here&order=name&limit=1000&offset=0",
						   "/api/v1/issuers?severity=here&order=name&limit=1000&offset=1000"));
	EXPECT_THAT(worst(), ElementsAre("dead last by host-b", "dead of-a by host-a", "dead of-c by host-c"));
}

TEST_F(TheMembersPages, NameTheKeeperOfEachIssuerWithThisHostsOwn)
{
	const auto told = ask(Issuers::all);
	addIssuers(*fleet,
		{R"({"issuers":[{"name":"mine","severity":"well"},{"name":"x","severity":"elsewhere","kept_by":"host-b"}]})",
			R"({"issuers":[{"name":"z","severity":"elsewhere","kept_by":"host-c"}]})"},
		told);
	EXPECT_THAT(lines("issuers"),
		ElementsAre("well mine by host-a", "endangered x by host-b", "well y by host-b", "elsewhere z by host-c"));
}

TEST_F(TheMembersPages, AreAskedOverHttp)
{
	observe::Fleet here;
	observe::Metrics metrics(
		here, [] { return std::vector<observe::IssuerStatus>(); }, "9.9.9");
	const observe::web::Site site(
		here, [] { return std::vector<observe::IssuerStatus>(); }, metrics);
	const auto server = observe::web::Server::start({{"127.0.0.1", 0}, {}, false}, site);
	ASSERT_TRUE(server) << server.error().text;
	status.members[1].url = (*server)->url();
	status.members[2].url = (*server)->url() + "/nowhere";
	page = askOverHttp({});
	static_cast<void>(ask(Issuers::worst));
	EXPECT_EQ(of(1, "told_by"), "page") << of(1, "trouble");
	EXPECT_EQ(of(2, "trouble"), "it answers with 404");
}

} // namespace
} // namespace issuer::commands
