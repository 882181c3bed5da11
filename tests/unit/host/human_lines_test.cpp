#include "observe/events/human_lines.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace issuer::observe {
namespace {

constexpr std::int64_t now = 1'764'000'000'000; // 2025-11-24 16:00:00 UTC
constexpr std::int64_t minute = 60'000;

class Lines : public testing::Test
{
protected:
	Lines()
	{
		::setenv("TZ", "UTC", 1);
		::tzset();
	}

	static issuer_event event(issuer_event_kind kind, issuer_result result, issuer_state state)
	{
		issuer_event event{};
		event.struct_size = sizeof event;
		event.kind = kind;
		event.result = result;
		event.state = state;
		event.unix_ms = now;
		event.ttl_ms = 60 * minute;
		event.expires_unix_ms = now + 60 * minute;
		event.next_unix_ms = now + 30 * minute;
		return event;
	}

	static issuer_event state(issuer_state state) { return event(ISSUER_EVENT_STATE, ISSUER_RESULT_NONE, state); }

	std::string shown(const issuer_event& event) const { return lines.event("a", event); }

	HumanLines lines{HumanLines::Style{false, 6}};
};

TEST_F(Lines, ARenewalTellsTheLifeLeftAndTheNextStep)
{
	EXPECT_EQ(shown(event(ISSUER_EVENT_RENEWAL, ISSUER_RESULT_SUCCESS, ISSUER_STATE_ACTIVE)),
		"2025-11-24 16:00:00 UTC  a       renewed         1 h left, next renewal in 30 min");
}

TEST_F(Lines, AFailureTellsWhyAndWhichAttemptItWas)
{
	issuer_event failed = event(ISSUER_EVENT_RENEWAL, ISSUER_RESULT_FAILURE, ISSUER_STATE_RETRYING);
	failed.attempt = 3;
	failed.next_unix_ms = now + 4'200;
	failed.detail = {"connection refused\nby vault.example", 35};
	EXPECT_EQ(shown(failed), "2025-11-24 16:00:00 UTC  a       not renewed     1 h left, next try in 4.2 s, attempt 3: "
							 "connection refused by vault.example");
}

TEST_F(Lines, ACappedCredentialTellsItsDate)
{
	EXPECT_EQ(shown(state(ISSUER_STATE_CAPPED)),
		"2025-11-24 16:00:00 UTC  a       capped          cannot be extended past 2025-11-24 17:00:00 UTC, 1 h left, "
		"next check in 30 min");
}

TEST_F(Lines, ADeniedOneTellsWhenItEnds)
{
	EXPECT_EQ(shown(state(ISSUER_STATE_DENIED)), "2025-11-24 16:00:00 UTC  a       renewal denied  ends at 2025-11-24 "
												 "17:00:00 UTC, 1 h left, next check in 30 min");
}

TEST_F(Lines, ADeadOneAsksToBeReplaced)
{
	issuer_event dead = state(ISSUER_STATE_EXPIRED);
	dead.next_unix_ms = -1;
	EXPECT_EQ(shown(dead), "2025-11-24 16:00:00 UTC  a       dead            replace the credential");
}

TEST_F(Lines, ACredentialThatLivesForEverHasNothingToAdd)
{
	issuer_event root = state(ISSUER_STATE_NO_EXPIRY);
	root.ttl_ms = root.expires_unix_ms = root.next_unix_ms = -1;
	EXPECT_EQ(shown(root), "2025-11-24 16:00:00 UTC  a       lives for ever");
}

TEST_F(Lines, AnUnknownStateIsShownAsItsNumber)
{
	EXPECT_EQ(shown(state(42)), "2025-11-24 16:00:00 UTC  a       state 42        1 h left, next renewal in 30 min");
}

TEST_F(Lines, NamesArePaddedByCharactersAndNotByBytes)
{
	EXPECT_EQ(lines.log(now / 1000, "Köln", ISSUER_LOG_INFO, "tls", "fine"),
		"2025-11-24 16:00:00 UTC  Köln    tls             fine");
}

TEST_F(Lines, ANoticeOfTheHostIsTheHosts)
{
	EXPECT_EQ(lines.notice(now / 1000, {Action::startFailed, ISSUER_LOG_WARN, "a", "why"}),
		"2025-11-24 16:00:00 UTC  a       start failed    why");
	EXPECT_EQ(lines.notice(now / 1000, {Action::ready, ISSUER_LOG_INFO, {}, "2 issuers"}),
		"2025-11-24 16:00:00 UTC  host    ready           2 issuers");
}

TEST_F(Lines, ColoursMarkTroubleOnly)
{
	const HumanLines colourful(HumanLines::Style{true, 6});
	EXPECT_NE(colourful.event("a", state(ISSUER_STATE_EXPIRED)).find("\033[31mdead"), std::string::npos);
	EXPECT_NE(colourful.event("a", state(ISSUER_STATE_CAPPED)).find("\033[33mcapped"), std::string::npos);
	EXPECT_EQ(colourful.event("a", state(ISSUER_STATE_ACTIVE)).find('\033'), std::string::npos);
}

TEST_F(Lines, DeathIsAnErrorAndDangerAWarning)
{
	EXPECT_EQ(HumanLines::severity(state(ISSUER_STATE_EXPIRED)), ISSUER_LOG_ERROR);
	EXPECT_EQ(HumanLines::severity(state(ISSUER_STATE_CAPPED)), ISSUER_LOG_WARN);
	EXPECT_EQ(HumanLines::severity(state(ISSUER_STATE_RETRYING)), ISSUER_LOG_WARN);
	EXPECT_EQ(HumanLines::severity(state(ISSUER_STATE_NO_EXPIRY)), ISSUER_LOG_INFO);
	EXPECT_EQ(
		HumanLines::severity(event(ISSUER_EVENT_RENEWAL, ISSUER_RESULT_FAILURE, ISSUER_STATE_ACTIVE)), ISSUER_LOG_WARN);
}

} // namespace
} // namespace issuer::observe
