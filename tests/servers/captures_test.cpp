#include "capture.h"
#include "fake_vault/api.h"
#include "fake_vault/message.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <iostream>
#include <map>

namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

/// A fake server at the moment before a recorded request.
struct World
{
	TestClock clock;
	Api api{clock, {}};
	std::string token = "s.000000000000000000000000"; ///< stands in for the recording's token
	std::string clientAddress = "127.0.0.1";

	void holds(const TokenWish& wish) { token = api.createToken(wish); }

	ApiReply ask(const std::string& method, const std::string& call, const std::string& body = "")
	{
		ApiRequest request{.method = method, .target = "/v1/auth/token/" + call, .headers = {}, .body = body};
		request.headers.set("X-Vault-Token", token);
		return api.handle(request);
	}

	/// Renewed once, as some of the recorded tokens were.
	void renews(const std::string& body = "{}") { ASSERT_EQ(ask("POST", "renew-self", body).status, 200); }
};

using Prepare = std::function<void(World&)>;

void nothing(World&) {}

Prepare holding(const TokenWish& wish)
{
	return [wish](World& world) { world.holds(wish); };
}

Prepare renewed(const TokenWish& wish, const std::string& body = "{}")
{
	return [wish, body](World& world) {
		world.holds(wish);
		world.renews(body);
	};
}

/// A 60 s token on a node of that kind.
Prepare on(NodeState node)
{
	return [node](World& world) {
		world.holds({.ttl = 60s});
		world.api.setNode(node);
	};
}

/// A 60 s token of a login whose mount gives this answer to a renewal.
Prepare login(const Login& login, const std::map<std::string, std::string>& meta, const TokenError& refusal)
{
	return [=](World& world) {
		world.holds({.ttl = 60s, .meta = meta, .login = login});
		world.api.refuseRenewals(world.token, refusal);
	};
}

Prepare roleDeleted(const std::string& text)
{
	return login({}, {{"role_name", "ra"}}, {500, "1 error occurred:\n\t* failed to renew entry: " + text + "\n\n"});
}

Prepare quota(int used, bool headers)
{
	return [=](World& world) {
		world.holds({.ttl = 20s});
		world.api.setQuota(Quota::Rule{.rate = 3, .interval = 20s, .headers = headers});
		for (int i = 0; i < used; ++i) {
			world.renews();
		}
		world.clock.advance(1900ms);
	};
}

/// A token of a role that is wanted to have these limits.
Prepare ofRole(const std::string& name, const TokenRole& role)
{
	return [=](World& world) {
		world.api.writeRole(name, role);
		world.holds({.ttl = 60s, .role = name});
	};
}

/// At the wall of an explicit max TTL of 25 s, some time after the grant of `before`.
Prepare atTheWall(const std::vector<std::chrono::milliseconds>& renewals, std::chrono::milliseconds then)
{
	return [=](World& world) {
		world.clock.set(ServerTime(1'800'000'000'336ms));
		world.holds({.ttl = 8s, .explicitMaxTtl = 25s});
		auto at = 0ms;
		for (const auto& next : renewals) {
			world.clock.advance(next - at);
			world.renews();
			at = next;
		}
		world.clock.advance(then - at);
	};
}

/// Brings the fake to the state that the real server was in.
const std::map<std::string, Prepare> played{
	{"lookup-self/batch", holding({.ttl = 60s, .batch = true})},
	{"lookup-self/explicit-max", holding({.ttl = 60s, .explicitMaxTtl = 90s})},
	{"lookup-self/no-default-policy", holding({.ttl = 60s, .noDefaultPolicy = true, .policies = {"app"}})},
	{"lookup-self/num-uses-1-lookup", holding({.ttl = 60s, .numUses = 1})},
	{"lookup-self/num-uses-4-first", holding({.ttl = 60s, .numUses = 4})},
	{"lookup-self/periodic-after-renewal", renewed({.period = 60s})},
	{"lookup-self/renewable-false", holding({.ttl = 60s, .renewable = false})},
	{"lookup-self/role-explicit-max", ofRole("er", {.explicitMaxTtl = 90s})},
	{"lookup-self/role-periodic", ofRole("pr", {.period = 60s})},
	{"lookup-self/root-from-init", [](World& world) { world.token = world.api.rootToken(); }},
	{"lookup-self/service-after-renewal", renewed({.ttl = 60s})},
	{"lookup-self/service-default", holding({.ttl = 60s})},
	{"lookup-self/unknown-token", nothing},

	{"misc/capabilities-self-default", holding({.ttl = 60s})},
	{"misc/health-active", nothing},
	{"misc/health-sealed", on(NodeState::sealed)},
	{"misc/health-standby", on(NodeState::standby)},
	{"misc/health-uninitialized", on(NodeState::uninitialised)},
	{"misc/path-double-slash", holding({.ttl = 60s})},
	{"misc/path-no-v1", holding({.ttl = 60s})},
	{"misc/path-trailing-slash", holding({.ttl = 60s})},
	{"misc/revoke-self", holding({.ttl = 60s})},
	{"misc/seal-status-sealed", on(NodeState::sealed)},

	{"quota/ok-headers-enabled", quota(1, true)},
	{"quota/rate-limited-default", quota(3, false)},
	{"quota/rate-limited-headers-enabled", quota(3, true)},

	{"renew-self/batch", holding({.ttl = 60s, .batch = true})},
	{"renew-self/body-garbage", holding({.ttl = 60s})},
	{"renew-self/cidr-wrong-address",
		[](World& world) {
			world.api.writeRole("bound", {.boundCidrs = {"127.0.0.1/32"}});
			world.holds({.ttl = 60s, .role = "bound"});
			world.clientAddress = "127.0.0.2";
		}},
	{"renew-self/explicit-max-capped",
		[](World& world) {
			world.holds({.ttl = 60s, .explicitMaxTtl = 60s});
			world.clock.advance(2s);
		}},
	{"renew-self/increment-1000h", holding({.ttl = 60s})},
	{"renew-self/increment-5s", holding({.ttl = 60s})},
	{"renew-self/increment-absurd-int", holding({.ttl = 60s})},
	{"renew-self/increment-periodic-5s", holding({.period = 60s})},
	{"renew-self/no-default-policy", holding({.ttl = 60s, .noDefaultPolicy = true, .policies = {"app"}})},
	{"renew-self/ns-locked",
		[](World& world) {
			world.api.createNamespace("ns2");
			world.holds({.ttl = 60s, .namespacePath = "ns2/"});
			world.api.lockNamespace("ns2");
		}},
	{"renew-self/ns-nonexistent",
		[](World& world) {
			world.api.createNamespace("ns1");
			world.holds({.ttl = 60s, .namespacePath = "ns1/"});
		}},
	{"renew-self/num-uses-4-last",
		[](World& world) {
			world.holds({.ttl = 60s, .numUses = 4});
			for (int i = 0; i < 3; ++i) {
				world.renews();
			}
		}},
	{"renew-self/num-uses-4-second", renewed({.ttl = 60s, .numUses = 4})},
	{"renew-self/periodic", holding({.period = 60s})},
	{"renew-self/post-unknown-field", holding({.ttl = 60s})},
	{"renew-self/ratchet-2-small-increment", renewed({.ttl = 60s})},
	{"renew-self/ratchet-3-body-empty-after", renewed({.ttl = 60s}, R"({"increment":"10s"})")},
	{"renew-self/ratchet-5-restored", renewed({.ttl = 60s}, R"({"increment":"10s"})")},
	{"renew-self/renewable-false", holding({.ttl = 60s, .renewable = false})},
	{"renew-self/root-from-init", [](World& world) { world.token = world.api.rootToken(); }},
	{"renew-self/service-default", holding({.ttl = 60s})},
	{"renew-self/unknown-token", nothing},
	{"renew-self/wrapped-reply", holding({.ttl = 60s})},
	{"renew-self/wrapping-token-first-call", [](World& world) { world.token = world.api.createWrappingToken(60s); }},

	{"revoked/approle-role-deleted-lookup",
		[](World& world) {
			world.holds({.ttl = 60s, .displayName = "approle", .meta = {{"role_name", "ra"}}, .login = Login{}});
			world.renews();
			world.api.refuseRenewals(world.token, {500, "the role is gone"});
		}},
	{"revoked/approle-role-deleted-renew", roleDeleted("role \"ra\" does not exist during renewal")},
	{"revoked/approle-secret-id-destroyed-renew",
		holding({.ttl = 60s, .meta = {{"role_name", "ra"}}, .login = Login{}})},
	{"revoked/expired-renew",
		[](World& world) {
			world.holds({.ttl = 2s});
			world.clock.advance(2s);
		}},
	{"revoked/policy-changed-renew",
		[](World& world) {
			world.api.writePolicy("app", R"(path "auth/token/*" { capabilities = ["read", "update"] })");
			world.holds({.ttl = 60s, .noDefaultPolicy = true, .policies = {"app"}});
			world.renews();
			world.api.writePolicy("app", R"(path "secret/*" { capabilities = ["read"] })");
		}},
	{"revoked/revoke-token-renew",
		[](World& world) {
			world.holds({.ttl = 60s});
			world.api.revoke(world.token);
		}},
	{"revoked/token-role-deleted-renew",
		[](World& world) {
			ofRole("tr", {})(world);
			world.api.removeRole("tr");
		}},
	{"revoked/userpass-policies-changed-renew", roleDeleted("policies have changed, not renewing")},
	{"revoked/userpass-user-deleted-renew",
		login({.path = "auth/userpass/login/bob"}, {{"username", "bob"}}, {204, ""})},

	{"sealed/after-unseal-expired-renew",
		[](World& world) {
			world.holds({.ttl = 2s});
			world.api.setNode(NodeState::sealed);
			world.clock.advance(5s);
			world.api.setNode(NodeState::active);
		}},
	{"sealed/after-unseal-live-renew",
		[](World& world) {
			world.holds({.ttl = 60s});
			world.api.setNode(NodeState::sealed);
			world.clock.advance(5500ms);
			world.api.setNode(NodeState::active);
		}},
	{"sealed/lookup", on(NodeState::sealed)},
	{"sealed/renew", on(NodeState::sealed)},

	{"standby/leader-killed-renew", on(NodeState::leaderless)},
	{"standby/leadership-lost-renew", on(NodeState::losesQuorum)},
	{"standby/lookup-after-renew",
		[](World& world) {
			world.api.setNode(NodeState::standby);
			renewed({.ttl = 60s})(world);
		}},
	{"standby/lookup-no-forwarding",
		[](World& world) {
			world.api.setNode(NodeState::standby);
			renewed({.ttl = 60s})(world);
		}},
	{"standby/no-leader-lookup",
		[](World& world) {
			renewed({.ttl = 600s})(world);
			world.api.setNode(NodeState::leaderless);
			world.clock.advance(16s);
		}},
	{"standby/renew-forwarding", on(NodeState::standby)},
	{"standby/renew-no-forwarding", on(NodeState::standby)},
	{"standby/step-down-renew-no-active", on(NodeState::betweenLeaders)},
	{"standby/step-down-renew-on-old-leader", on(NodeState::formerLeader)},

	{"wall/lookup-while-renew-500", atTheWall({7s, 14s, 21s, 24600ms}, 24760ms)},
	{"wall/renew-capped", atTheWall({7s, 14s}, 18s)},
	{"wall/renew-last-second-no-warning", atTheWall({7s, 14s, 21s, 23410ms}, 23500ms)},
	{"wall/renew-past-max", atTheWall({7s, 14s, 21s, 24600ms}, 24700ms)},
	{"wall/renew-period-capped",
		[](World& world) {
			world.api.tune({.maxTtl = 25s});
			world.holds({.period = 40s});
		}},
};

const std::map<std::string, Prepare> walked{
	{"wall/timeline-approle-max", holding({.ttl = 8s, .login = Login{.maxTtl = 25s}})},
	{"wall/timeline-explicit-max", holding({.ttl = 8s, .explicitMaxTtl = 25s})},
	{"wall/timeline-mount-max",
		[](World& world) {
			world.api.tune({.maxTtl = 25s});
			world.holds({.ttl = 8s});
		}},
	{"wall/timeline-mount-max-periodic",
		[](World& world) {
			world.api.tune({.maxTtl = 25s});
			world.holds({.period = 8s});
		}},
};

/// By the beginning of the name.
const std::map<std::string, std::string> notPlayed{
	{"login/", "login_captures_test plays it"},
	{"misc/plain-http-to-tls-port", "a matter of the TLS front: fake_vault_test plays it"},
	{"rustyvault/", "recorded from another product, which the fake does not imitate"},
};

template <class Table>
std::vector<std::string> namesOf(const Table& table)
{
	std::vector<std::string> names;
	for (const auto& [name, row] : table) {
		names.push_back(name);
	}
	return names;
}

std::string asTestName(const testing::TestParamInfo<std::string>& info)
{
	std::string name = info.param;
	std::ranges::replace_if(
		name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
	return name;
}

class Recorded : public testing::TestWithParam<std::string>
{
};

TEST_P(Recorded, RequestGetsTheRecordedReply)
{
	const Capture capture = loadCapture(GetParam());
	SCOPED_TRACE(capture.about);
	World world;
	played.at(GetParam())(world);
	ApiRequest request = capture.request;
	if (request.headers.has("X-Vault-Token")) {
		request.headers.set("X-Vault-Token", world.token);
	}
	request.clientAddress = world.clientAddress;
	const auto location = capture.reply.header("Location").value_or("");
	world.api.setLeader(location.substr(0, location.find("/v1/")));

	EXPECT_EQ(differences(capture.reply, world.api.handle(request)), "");
}

INSTANTIATE_TEST_SUITE_P(Captures, Recorded, testing::ValuesIn(namesOf(played)), asTestName);

class RecordedWall : public testing::TestWithParam<std::string>
{
};

void expectStep(const Step& step, const ApiReply& reply)
{
	SCOPED_TRACE("at " + std::to_string(step.seconds) + " s, " + step.call);
	ASSERT_EQ(reply.status, step.expected->getValue<int>("status"));
	const auto has = [&](const std::string& part) { EXPECT_THAT(reply.body, testing::HasSubstr(part)); };
	for (const auto& [key, value] : *step.expected) {
		if (key == "ttl" || key == "lease_duration" || key == "renewable" || key == "warnings" || key == "errors") {
			has("\"" + key + "\":" + asJson(value));
		}
	}
}

/// Around the wall there was a renewal every 85 ms; those that were answered like the one before are not recorded, but
/// each of them moved the token's end.
class UnrecordedRenewals
{
public:
	void replayBefore(const Step& step, const std::function<void(double)>& renewAt)
	{
		const double margin = step.call == "renew-self" ? interval / 2 : 0.01;
		while (_next < end && _next < step.seconds - margin) {
			renewAt(_next);
			_next += interval;
		}
		if (step.call == "renew-self") {
			_next = std::max(_next, step.seconds + interval);
		}
	}

private:
	static constexpr double interval = 0.085;
	static constexpr double end = 26.2;
	double _next = 23.41;
};

TEST_P(RecordedWall, IsMetAtTheRecordedTimes)
{
	World world;
	// The recorded tokens were issued in the middle of a second: that decides when the last grant is.
	const ServerTime issued(1'800'000'000'336ms);
	world.clock.set(issued);
	walked.at(GetParam())(world);
	const auto callAt = [&](double time, const std::string& call) {
		world.clock.set(issued + std::chrono::nanoseconds(static_cast<std::int64_t>(time * 1e9)));
		return world.ask(call == "renew-self" ? "POST" : "GET", call);
	};
	UnrecordedRenewals unrecorded;
	for (const auto& step : loadCapture(GetParam()).timeline) {
		unrecorded.replayBefore(step, [&](double time) { callAt(time, "renew-self"); });
		expectStep(step, callAt(step.seconds, step.call));
	}
}

INSTANTIATE_TEST_SUITE_P(Captures, RecordedWall, testing::ValuesIn(namesOf(walked)), asTestName);

TEST(Recordings, AreAllPlayedOrHaveAReasonNotToBe)
{
	for (const auto& name : captureNames()) {
		if (played.contains(name) || walked.contains(name)) {
			continue;
		}
		const auto reason =
			std::ranges::find_if(notPlayed, [&](const auto& row) { return name.starts_with(row.first); });
		ASSERT_NE(reason, notPlayed.end()) << name << " is played by no test";
		std::cout << "not played: " << name << ": " << reason->second << "\n";
	}
}

} // namespace
} // namespace issuer::test
