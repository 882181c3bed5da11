// The core without a socket or a thread: the cost of a decision, of reading a reply, of a configuration.
#include "config.h"
#include "renewal/keeper.h"
#include "wire/wire.h"

#include <benchmark/benchmark.h>

namespace issuer::vault {
namespace {

using namespace std::chrono_literals;
using renewal::Keeper;
using renewal::Operation;

constexpr std::string_view token = "s.BenchBenchBenchBenchBench";

constexpr std::string_view renewed =
	R"({"request_id":"7cf1a2c5-8f7c-9d40-6f4a-3f0a5e0f8f11","lease_id":"","renewable":false,"lease_duration":0,)"
	R"("data":null,"wrap_info":null,"warnings":null,"auth":{"client_token":"s.BenchBenchBenchBenchBench",)"
	R"("accessor":"AccessorAccessorAccessor","policies":["default"],"token_policies":["default"],"metadata":null,)"
	R"("lease_duration":3600,"renewable":true,"entity_id":"","token_type":"service","orphan":false,)"
	R"("mfa_requirement":null,"num_uses":0}})";

constexpr std::string_view found =
	R"({"request_id":"7cf1a2c5-8f7c-9d40-6f4a-3f0a5e0f8f11","lease_id":"","renewable":false,"lease_duration":0,)"
	R"("data":{"accessor":"AccessorAccessorAccessor","creation_time":1795478553,"creation_ttl":3600,)"
	R"("display_name":"token","entity_id":"","expire_time":"2026-11-24T00:03:33.731601219Z","explicit_max_ttl":0,)"
	R"("id":"s.BenchBenchBenchBenchBench","issue_time":"2026-11-24T00:02:33.731606923Z","meta":null,"num_uses":0,)"
	R"("orphan":false,"path":"auth/token/create","policies":["default"],"renewable":true,"ttl":3599,)"
	R"("type":"service"},"wrap_info":null,"warnings":null,"auth":null})";

constexpr std::string_view denied = R"({"errors":["1 error occurred:\n\t* permission denied\n\n"]})";

HttpReply replyOf(int status, std::string_view body)
{
	HttpReply reply;
	reply.status = status;
	reply.body = WipedString(body);
	return reply;
}

void classify(benchmark::State& state, Operation operation, int status, std::string_view body)
{
	for (auto _ : state) {
		auto reply = replyOf(status, body);
		benchmark::DoNotOptimize(wire::classify(operation, reply, token));
	}
}

void readRenewal(benchmark::State& state)
{
	classify(state, Operation::renew, 200, renewed);
}

void readLookUp(benchmark::State& state)
{
	classify(state, Operation::lookUp, 200, found);
}

void readRefusal(benchmark::State& state)
{
	classify(state, Operation::renew, 403, denied);
}

void writeRenewal(benchmark::State& state)
{
	for (auto _ : state) {
		benchmark::DoNotOptimize(wire::renewSelf(token, "team-a", std::nullopt));
	}
}

Moment later(Moment moment, Duration by)
{
	return {moment.boot + by, moment.wall + by};
}

/// One turn of the wheel: an attempt is taken, answered and told, the next one planned.
void decide(benchmark::State& state, const renewal::Answer& answer)
{
	Moment now{Instant(1h), WallTime(std::chrono::years(56))};
	Keeper keeper(renewal::Policy(), 1);
	static_cast<void>(keeper.begin(now));
	static_cast<void>(keeper.attempt(now));
	renewal::TokenFacts facts;
	facts.ttl = facts.creationTtl = std::chrono::years(90); // no token dies in an outage as long as the benchmark
	static_cast<void>(keeper.answered(now, later(now, 1ms), facts));
	for (auto _ : state) {
		now = later(now, std::max<Duration>(*keeper.next() - now.boot, 0s));
		benchmark::DoNotOptimize(keeper.attempt(now));
		const auto sent = now;
		now = later(now, 1ms);
		benchmark::DoNotOptimize(keeper.answered(sent, now, answer));
	}
}

void decideAfterSuccess(benchmark::State& state)
{
	decide(state, renewal::Grant{1h, false});
}

void decideAfterFailure(benchmark::State& state)
{
	decide(
		state, renewal::Trouble{renewal::Trouble::Kind::serverAway, renewal::Reason::sealed, std::nullopt, "HTTP 503"});
}

void decodeConfiguration(benchmark::State& state)
{
	for (auto _ : state) {
		auto config = parseConfig(R"({"address":"https://vault.example:8200","token":{"file":"/run/token"},)"
								  R"("tls":{"ca_file":"/etc/ca.pem"},"startup":"background"})");
		benchmark::DoNotOptimize(config);
	}
}

BENCHMARK(decideAfterSuccess);
BENCHMARK(decideAfterFailure);
BENCHMARK(readRenewal);
BENCHMARK(readLookUp);
BENCHMARK(readRefusal);
BENCHMARK(writeRenewal);
BENCHMARK(decodeConfiguration);

} // namespace
} // namespace issuer::vault
