#include "observe/events/issuer_status.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

namespace issuer::observe {
namespace {

Poco::JSON::Object::Ptr parsed(const IssuerStatus& status)
{
	return Poco::JSON::Parser().parse(statusJson(status)).extract<Poco::JSON::Object::Ptr>();
}

TEST(StatusJson, WithoutHealthIsWhatTheHostKnows)
{
	IssuerStatus status;
	status.name = "team \"a\"";
	status.pluginPath = "/p.so";
	status.phase = Phase::waiting;
	status.problem = "the server is away";
	status.failedStarts = 3;
	status.nextStartUnixMs = 1'700'000'000'000;
	const auto json = parsed(status);
	EXPECT_EQ(json->getValue<std::string>("name"), "team \"a\"");
	EXPECT_EQ(json->getValue<std::string>("phase"), "waiting");
	EXPECT_EQ(json->getValue<std::string>("problem"), "the server is away");
	EXPECT_EQ(json->getValue<int>("failed_starts"), 3);
	EXPECT_EQ(json->getValue<std::int64_t>("next_start_unix_ms"), 1'700'000'000'000);
	EXPECT_EQ(json->getObject("plugin")->getValue<std::string>("path"), "/p.so");
	EXPECT_TRUE(json->isNull("health"));
}

TEST(StatusJson, TellsAllOfHealthWithCodesAsWords)
{
	IssuerStatus status;
	status.phase = Phase::running;
	status.health.emplace();
	status.health->state = ISSUER_STATE_CAPPED;
	status.health->reason = ISSUER_REASON_MAX_TTL;
	status.health->success = 12;
	status.health->capped_at_unix_ms = 1'700'000'000'000;
	const auto health = parsed(status)->getObject("health");
	EXPECT_EQ(health->getValue<std::string>("state"), "capped");
	EXPECT_EQ(health->getValue<std::string>("reason"), "max_ttl");
	EXPECT_EQ(health->getValue<int>("success"), 12);
	EXPECT_EQ(health->getValue<std::int64_t>("capped_at_unix_ms"), 1'700'000'000'000);
	status.health->login_uses_left = 3;
	EXPECT_EQ(parsed(status)->getObject("health")->getValue<int>("login_uses_left"), 3);
	EXPECT_EQ(health->size(), 18U); // all fields but struct_size
}

} // namespace
} // namespace issuer::observe
