#include "capture_files.h"
#include "told.h"
#include "wire/wire.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <gtest/gtest.h>
#include <map>

namespace issuer::vault::wire {
namespace {

using Poco::JSON::Object;
using renewal::Operation;
using renewal::Trouble;

/// The meaning of each recorded exchange, by its path in tests/data/captures. Answers to requests other than look-ups
/// and renewals (logins, health) are judged as if they were answers to a renewal: a mistaken address brings such ones.
/// Those in login/ that have none here have one in login_captures_test.cpp.
const std::map<std::string, std::string> expected{
	// clang-format off
	{"login/approle-batch", "grant 60s not renewable"},
	{"login/approle-login-wrapped-reply", "wrapped grant"},
	{"login/approle-wrong-secret-id", "configuration (config)"},
	{"login/approle", "grant 60s"},
	{"login/cert-renew-expired-certificate", "configuration (config)"},
	{"login/cert-renew-other-certificate", "configuration (config)"},
	{"login/cert-renew-rotated-certificate", "denied (refused)"},
	{"login/cert-renew-without-cert", "configuration (config)"},
	{"login/cert", "grant 60s"},
	{"login/jwt-role-deleted-renew", "denied (refused)"},
	{"login/jwt", "grant 60s"},
	{"login/secret-id-unwrap-again", "configuration (config)"},
	{"login/secret-id-unwrap", "malformed (malformed)"},
	{"login/secret-id-wrapped", "wrapped grant"},
	{"login/userpass", "grant 60s"},
	{"lookup-self/batch", "ttl 60s, lease 60s, not renewable, batch, created 1795478556, expires 1795478616"},
	{"lookup-self/explicit-max", "ttl 59s, lease 60s, max 90s, created 1795478553, expires 1795478613.753726"},
	{"lookup-self/no-default-policy", "denied (refused)"},
	{"lookup-self/num-uses-1-lookup", "ttl 60s, lease 60s, uses -1, created 1795478689, expires 1795478749.283924"},
	{"lookup-self/num-uses-4-first", "ttl 60s, lease 60s, uses 3, created 1795478689, expires 1795478749.260829"},
	{"lookup-self/periodic-after-renewal", "ttl 59s, lease 60s, period 60s, created 1795478553, expires 1795478613.748932"},
	{"lookup-self/renewable-false", "ttl 60s, lease 60s, not renewable, created 1795478556, expires 1795478616.017893"},
	{"lookup-self/role-explicit-max", "ttl 59s, lease 60s, created 1795478555, expires 1795478615.970231"},
	{"lookup-self/role-periodic", "ttl 59s, lease 60s, created 1795478555, expires 1795478615.976473"},
	{"lookup-self/root-from-init", "ttl 0s, never expires, created 1795479079"},
	{"lookup-self/service-after-renewal", "ttl 59s, lease 60s, created 1795478553, expires 1795478613.740640"},
	{"lookup-self/service-default", "ttl 59s, lease 60s, created 1795478553, expires 1795478613.731601"},
	{"lookup-self/unknown-token", "refused (refused)"},
	{"misc/capabilities-self-default", "malformed (malformed)"},
	{"misc/health-active", "malformed (malformed)"},
	{"misc/health-sealed", "server away (server)"},
	{"misc/health-standby", "throttled (throttled)"},
	{"misc/health-uninitialized", "server away (server)"},
	{"misc/path-double-slash", "configuration (config)"},
	{"misc/path-no-v1", "configuration (config)"},
	{"misc/path-trailing-slash", "configuration (config)"},
	{"misc/plain-http-to-tls-port", "configuration (config)"},
	{"misc/revoke-self", "denied (refused)"},
	{"misc/seal-status-sealed", "malformed (malformed)"},
	{"quota/ok-headers-enabled", "grant 20s"},
	{"quota/rate-limited-default", "throttled (throttled)"},
	{"quota/rate-limited-headers-enabled", "throttled (throttled), retry after 18s"},
	{"renew-self/batch", "batch (batch)"},
	{"renew-self/body-garbage", "configuration (config)"},
	{"renew-self/cidr-wrong-address", "refused (refused)"},
	{"renew-self/explicit-max-capped", "grant 58s capped"},
	{"renew-self/increment-1000h", "grant 2764800s capped"},
	{"renew-self/increment-5s", "grant 5s"},
	{"renew-self/increment-absurd-int", "configuration (config)"},
	{"renew-self/increment-periodic-5s", "grant 60s"},
	{"renew-self/no-default-policy", "denied (refused)"},
	{"renew-self/ns-locked", "server away (server)"},
	{"renew-self/ns-nonexistent", "configuration (config)"},
	{"renew-self/num-uses-4-last", "gone (refused)"},
	{"renew-self/num-uses-4-second", "grant 60s"},
	{"renew-self/periodic", "grant 60s"},
	{"renew-self/post-unknown-field", "grant 60s"},
	{"renew-self/ratchet-2-small-increment", "grant 10s"},
	{"renew-self/ratchet-3-body-empty-after", "grant 10s"},
	{"renew-self/ratchet-5-restored", "grant 60s"},
	{"renew-self/renewable-false", "not renewable (not renewable)"},
	{"renew-self/root-from-init", "no lease (none)"},
	{"renew-self/service-default", "grant 60s"},
	{"renew-self/unknown-token", "refused (refused)"},
	{"renew-self/wrapped-reply", "wrapped grant"},
	{"renew-self/wrapping-token-first-call", "denied (refused)"},
	{"revoked/approle-role-deleted-lookup", "ttl 60s, lease 60s, created 1795478807, expires 1795478867.328126"},
	{"revoked/approle-role-deleted-renew", "denied (refused)"},
	{"revoked/approle-secret-id-destroyed-renew", "grant 60s"},
	{"revoked/expired-renew", "refused (refused)"},
	{"revoked/policy-changed-renew", "denied (refused)"},
	{"revoked/revoke-token-renew", "refused (refused)"},
	{"revoked/token-role-deleted-renew", "denied (refused)"},
	{"revoked/userpass-policies-changed-renew", "denied (refused)"},
	{"revoked/userpass-user-deleted-renew", "denied (refused)"},
	{"rustyvault/lookup-self", "ttl 60s"},
	{"rustyvault/renew-self-unknown-token", "malformed (malformed)"}, // as any gateway may say it
	{"rustyvault/renew-self", "configuration (config)"},
	{"rustyvault/renew-token", "server away (server)"},
	{"rustyvault/sealed-renew-self", "server away (sealed)"},
	{"rustyvault/token-create", "grant 60s"},
	{"sealed/after-unseal-expired-renew", "refused (refused)"},
	{"sealed/after-unseal-live-renew", "grant 60s"},
	{"sealed/lookup", "server away (sealed)"},
	{"sealed/renew", "server away (sealed)"},
	{"standby/leader-killed-renew", "server away (server)"},
	{"standby/leadership-lost-renew", "server away (server)"},
	{"standby/lookup-after-renew", "ttl 59s, lease 60s, created 1795480189, expires 1795480249.888047"},
	{"standby/lookup-no-forwarding", "ttl 59s, lease 60s, created 1795480189, expires 1795480252.330891"},
	{"standby/no-leader-lookup", "ttl 584s, lease 600s, created 1795480198, expires 1795480978.345228"},
	{"standby/renew-forwarding", "grant 60s"},
	{"standby/renew-no-forwarding", "server away (server)"},
	{"standby/step-down-renew-no-active", "server away (server)"},
	{"standby/step-down-renew-on-old-leader", "server away (server)"},
	{"wall/lookup-while-renew-500", "ttl 0s, lease 8s, max 25s, created 1795478602, expires 1795478627.944416"},
	{"wall/renew-capped", "grant 7s capped"},
	{"wall/renew-last-second-no-warning", "grant 2s"},
	{"wall/renew-past-max", "past max TTL (max TTL)"},
	{"wall/renew-period-capped", "grant 25s"},
	// clang-format on
};

/// Of each timeline the answers to renewals, then those to look-ups; one that repeats the one before is left out.
const std::map<std::string, std::string> expectedTimelines{
	{"wall/timeline-approle-max",
		"grant 8s; grant 7s capped; grant 4s capped; grant 2s capped; grant 1s capped; past max TTL (max TTL); "
		"refused (refused) | ttl 8s; ttl 7s; ttl 4s; ttl 1s; ttl 0s; refused (refused)"},
	{"wall/timeline-explicit-max",
		"grant 8s; grant 7s capped; grant 4s capped; grant 2s capped; grant 2s; grant 1s capped; grant 1s; "
		"past max TTL (max TTL); refused (refused) | ttl 8s; ttl 7s; ttl 4s; ttl 1s; ttl 0s; refused (refused)"},
	{"wall/timeline-mount-max",
		"grant 8s; grant 7s capped; grant 4s capped; grant 2s capped; grant 2s; grant 1s capped; grant 1s; "
		"past max TTL (max TTL); refused (refused) | ttl 8s; ttl 7s; ttl 4s; ttl 1s; ttl 0s; refused (refused)"},
	{"wall/timeline-mount-max-periodic", "grant 8s | ttl 8s; ttl 7s; ttl 8s; ttl 7s; ttl 8s; ttl 7s; ttl 8s; ttl 7s"},
};

std::string answerIn(const Object& capture)
{
	auto reply = replyIn(capture);
	const auto lookUp = capture.getObject("request")->getValue<std::string>("method") == "GET";
	return told(classify(lookUp ? Operation::lookUp : Operation::renew, reply, "s.TOKEN_A"));
}

/// A row of a timeline, in the shape that the server gave it.
HttpReply replyOf(const Object& row)
{
	Object body;
	if (row.has("errors")) {
		body.set("errors", row.getArray("errors"));
	}
	else if (row.has("ttl")) {
		Object data;
		data.set("ttl", row.get("ttl"));
		data.set("renewable", row.get("renewable"));
		body.set("data", data);
	}
	else {
		Object auth;
		auth.set("lease_duration", row.get("lease_duration"));
		body.set("auth", auth);
		body.set("warnings", row.get("warnings"));
	}
	HttpReply reply;
	reply.status = row.getValue<int>("status");
	reply.body = bytesOf(body);
	return reply;
}

std::string answersIn(const Poco::JSON::Array& timeline, Operation operation, const std::string& call)
{
	std::string all;
	std::string last;
	for (const auto& entry : timeline) {
		const auto row = entry.extract<Object::Ptr>();
		if (row->getValue<std::string>("call") != call) {
			continue;
		}
		auto reply = replyOf(*row);
		const auto answer = told(classify(operation, reply, "s.TOKEN_A"));
		if (answer != last) {
			all += (all.empty() ? "" : "; ") + answer;
		}
		last = answer;
	}
	return all;
}

TEST(Replies, TellOfTheSameRequestThatWasSentBeforeAndNotAnswered)
{
	for (const int status : {429, 503, 403, 307}) {
		HttpReply reply;
		reply.status = status;
		EXPECT_FALSE(std::get<Trouble>(classify(Operation::renew, reply, "token")).sentBefore);
		reply.sentBefore = true;
		EXPECT_TRUE(std::get<Trouble>(classify(Operation::renew, reply, "token")).sentBefore);
	}
	const ExchangeError untrusted{ExchangeError::Kind::tls, "an untrusted certificate"};
	EXPECT_TRUE(std::get<Trouble>(classify(untrusted)).sentBefore) << "not by this connection";
}

TEST(Captures, EachHasAnExpectation)
{
	std::size_t found = 0;
	for (const auto& name : captureNames()) {
		const bool expects = expected.contains(name) || expectedTimelines.contains(name);
		EXPECT_TRUE(expects || name.starts_with("login/")) << name;
		found += expects ? 1 : 0;
	}
	EXPECT_EQ(found, expected.size() + expectedTimelines.size());
}

TEST(Captures, EachIsUnderstood)
{
	for (const auto& [name, answer] : expected) {
		EXPECT_EQ(answerIn(*readCapture(name)), answer) << name;
	}
}

TEST(Captures, ATokenOnItsWayToAMaxTtlIsUnderstoodAtEachStep)
{
	for (const auto& [name, answers] : expectedTimelines) {
		const auto timeline = readCapture(name)->getArray("timeline");
		EXPECT_EQ(answersIn(*timeline, Operation::renew, "renew-self") + " | " +
					  answersIn(*timeline, Operation::lookUp, "lookup-self"),
			answers)
			<< name;
	}
}

} // namespace
} // namespace issuer::vault::wire
