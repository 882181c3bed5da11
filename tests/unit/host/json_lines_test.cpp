#include "observe/journal/json_lines.h"

#include "observe/events/names.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

namespace issuer::observe {
namespace {

Poco::JSON::Object::Ptr parsed(const std::string& line)
{
	return Poco::JSON::Parser().parse(line).extract<Poco::JSON::Object::Ptr>();
}

TEST(JsonLines, AnEventHasEveryFieldOfTheContract)
{
	issuer_event event{};
	event.struct_size = sizeof event;
	event.kind = ISSUER_EVENT_RENEWAL;
	event.result = ISSUER_RESULT_NOT_RENEWABLE;
	event.state = ISSUER_STATE_CAPPED;
	event.reason = ISSUER_REASON_MAX_TTL;
	event.attempt = 2;
	event.unix_ms = 1'764'000'000'000;
	event.ttl_ms = 1;
	event.expires_unix_ms = -1;
	event.next_unix_ms = 3;
	event.latency_us = 18'446'744'073'709'551'615ULL;
	event.detail = {"a \"quoted\"\nword", 15};
	EXPECT_EQ(jsonLine("team-a", event),
		R"({"type":"event","issuer":"team-a","kind":"renewal","result":"not_renewable","state":"capped",)"
		R"("reason":"max_ttl","attempt":2,"unix_ms":1764000000000,"ttl_ms":1,"expires_unix_ms":-1,"next_unix_ms":3,)"
		R"("latency_us":18446744073709551615,"detail":"a \"quoted\"\u000aword"})");
}

TEST(JsonLines, LogsAndNoticesAreTellableApart)
{
	const auto log = parsed(jsonLine(5, "a", ISSUER_LOG_WARN, "tls", "soon"));
	EXPECT_EQ(log->getValue<std::string>("type"), "log");
	EXPECT_EQ(log->getValue<std::string>("level"), "warn");
	EXPECT_EQ(log->getValue<std::string>("component"), "tls");
	EXPECT_EQ(log->getValue<int>("unix_ms"), 5);
	const auto notice = parsed(jsonLine(6, {Action::rolledBack, ISSUER_LOG_ERROR, "a", "why"}));
	EXPECT_EQ(notice->getValue<std::string>("type"), "host");
	EXPECT_EQ(notice->getValue<std::string>("action"), "rolled_back");
	EXPECT_EQ(notice->getValue<std::string>("text"), "why");
}

TEST(Names, ACodeThatIsNotKnownYetIsItsNumber)
{
	EXPECT_EQ(stateName(9), "9");
	EXPECT_EQ(reasonName(16), "credential_unreadable");
	EXPECT_EQ(reasonName(77), "77");
	EXPECT_EQ(resultName(-1), "-1");
	EXPECT_EQ(kindName(0), "0");
}

} // namespace
} // namespace issuer::observe
