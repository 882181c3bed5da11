#include "outages.h"
#include "real_vault.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <issuer/health.h>
#include <random>

/// The promises of the renewal rules, kept by the built plugin on the wire: against the fake Vault and, where bao or
/// vault is on PATH, a real one. Prints tables.
///
/// ISSUER_OUTAGE_SECONDS sets the length (quick unless set; a minute or more for the long run, which then also has the
/// shortest leases and the minute after a death); ISSUER_OUTAGE_SEED repeats the phases of a run, whose seed is
/// printed.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

unsigned long fromEnvironment(const char* name, unsigned long otherwise)
{
	const char* value = std::getenv(name);
	return value != nullptr ? std::strtoul(value, nullptr, 10) : otherwise;
}

seconds span()
{
	return seconds(fromEnvironment("ISSUER_OUTAGE_SECONDS", 0));
}

bool isLong()
{
	return span() > 0s;
}

/// Events tell times in whole milliseconds.
constexpr milliseconds blur(5);

const LoadedPlugin& plugin()
{
	static const LoadedPlugin loaded(ISSUER_VAULT_PLUGIN);
	return loaded;
}

class OnTheWire : public testing::TestWithParam<ServerKind>
{
protected:
	void SetUp() override
	{
		if (GetParam() == ServerKind::real && !RealVault::isInstalled()) {
			GTEST_SKIP() << RealVault::missing;
		}
	}
};

INSTANTIATE_TEST_SUITE_P(, OnTheWire, testing::Values(ServerKind::fake, ServerKind::real),
	[](const auto& kind) { return nameOf(kind.param); });

// --- outages ---

std::vector<Scenario> scenariosFor(ServerKind kind)
{
	const bool isFake = kind == ServerKind::fake;
	std::vector<Scenario> scenarios;
	for (const auto mode : modesOf(kind)) {
		for (const double share : {0.10, 0.25, 0.40}) {
			// Of real servers, which are heavy, the quick run has one a mode.
			if (!isFake && !isLong() && share != 0.25) {
				continue;
			}
			scenarios.push_back({kind, mode, 8s, share, isLong() ? 10 : 5, span()});
			if (isFake && isLong()) {
				scenarios.push_back({kind, mode, 4s, share, 10, span()});
			}
		}
	}
	return scenarios;
}

void print(const Scenario& scenario, const Tally& tally)
{
	std::printf("| %-4s | %-8s | %3lld s | %3.0f %% | %4d | %2d | %2d | %2d of %4.1f | %4lld of %3lld ms | %5.2f s |\n",
		nameOf(scenario.kind), nameOf(scenario.mode), static_cast<long long>(scenario.lease.count()),
		100 * scenario.share, tally.outages, tally.lost, tally.lostInVain, tally.mostRequests, tally.bound,
		static_cast<long long>(tally.closest.count()), static_cast<long long>(tally.gap.count()),
		std::chrono::duration<double>(tally.longestOutage).count());
}

TEST_P(OnTheWire, OutagesCostNoTokenAndAreMetCalmly)
{
	const auto seed = static_cast<unsigned>(fromEnvironment("ISSUER_OUTAGE_SEED", std::random_device()()));
	std::vector<std::pair<Scenario, std::future<Tally>>> runs;
	for (const auto& scenario : scenariosFor(GetParam())) {
		const auto own = seed + static_cast<unsigned>(runs.size());
		runs.emplace_back(
			scenario, std::async(std::launch::async, [scenario, own] { return run(scenario, plugin(), own); }));
	}
	std::printf("seed %u\n", seed);
	std::printf("| server | mode | lease | outage | tokens × outages | lost | in vain | most requests, bound "
				"| closest two, gap | longest outage |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
	for (auto& [scenario, running] : runs) {
		const auto tally = running.get();
		print(scenario, tally);
		const testing::ScopedTrace trace(__FILE__, __LINE__, nameOf(scenario.mode));
		EXPECT_EQ(tally.lostInVain, 0);
		// A real server may take so long to start that its outage covers all that was left of a life.
		EXPECT_TRUE(tally.lost == 0 || !isLong() || scenario.kind == ServerKind::real) << tally.lost;
		EXPECT_LE(tally.mostRequests, tally.bound);
		EXPECT_GE(tally.closest + blur, tally.gap);
	}
}

// --- short leases ---

TEST_P(OnTheWire, ShortLeasesLiveForAsLongAsTheyAreWatched)
{
	const auto watched = isLong() ? span() : 8s;
	const auto server = startServer(GetParam());
	struct Row
	{
		seconds lease;
		std::vector<std::unique_ptr<KeptToken>> tokens;
	};
	std::vector<Row> rows;
	for (const auto lease : {2s, 4s, 8s}) {
		auto& row = rows.emplace_back(Row{lease, {}});
		for (int i = 0; i < 5; ++i) {
			row.tokens.push_back(std::make_unique<KeptToken>(plugin(), *server,
				server->admin().createToken(
					R"({"policies":["default"],"ttl":")" + std::to_string(lease.count()) + R"(s"})")));
		}
	}
	passUntil(steady_clock::now() + watched);
	std::printf("| server | lease | watched | tokens | alive | renewals of each | failures |\n"
				"|---|--:|--:|--:|--:|--:|--:|\n");
	for (const auto& row : rows) {
		std::ptrdiff_t alive = 0;
		std::ptrdiff_t renewals = 0;
		std::ptrdiff_t failures = 0;
		for (const auto& kept : row.tokens) {
			alive += server->admin().isAlive(kept->token()) ? 1 : 0;
			const auto attempts = kept->attempts();
			const auto good = std::ranges::count_if(attempts, [](const auto& attempt) { return attempt.succeeded; });
			renewals += good;
			failures += std::ssize(attempts) - good;
		}
		std::printf("| %-4s | %lld s | %lld s | %zu | %td | %.1f | %td |\n", nameOf(GetParam()),
			static_cast<long long>(row.lease.count()), static_cast<long long>(watched.count()), row.tokens.size(),
			alive, static_cast<double>(renewals) / static_cast<double>(row.tokens.size()), failures);
		EXPECT_EQ(alive, std::ssize(row.tokens)) << row.lease.count() << " s";
	}
}

// --- max TTL ---

/// The setting that holds the maximum of a life.
enum class Wall
{
	explicitMax, ///< which a look-up shows
	role,        ///< which it does not
	mount,       ///< neither
};

const char* nameOf(Wall wall)
{
	switch (wall) {
	case Wall::explicitMax:
		return "explicit_max_ttl";
	case Wall::role:
		return "token role";
	case Wall::mount:
		return "mount tune";
	}
	return "";
}

std::string cappedToken(const VaultAdmin& admin, Wall wall)
{
	switch (wall) {
	case Wall::explicitMax:
		return admin.createToken(R"({"policies":["default"],"ttl":"4s","explicit_max_ttl":"9s"})");
	case Wall::role:
		admin.write("auth/token/roles/capped", R"({"token_explicit_max_ttl":"9s"})");
		return admin.createToken(R"({"policies":["default"],"ttl":"4s"})", "create/capped");
	case Wall::mount:
		admin.write("sys/auth/token/tune", R"({"max_lease_ttl":"9s"})");
		return admin.createToken(R"({"policies":["default"],"ttl":"4s"})");
	}
	return "";
}

struct Death
{
	milliseconds forecastError = 1h; ///< of the first answer that could tell the end; an hour: it told none
	milliseconds warning{0};         ///< how long before the end that was
	std::ptrdiff_t expired = 0;      ///< events of that state
	std::ptrdiff_t notRenewable = 0; ///< results
	std::ptrdiff_t requestsAfter = 0;
	milliseconds pauseAfter{0}; ///< from the death to the next request that is planned
};

/// Of the first look-up, or of the first grant below a whole lease: when it was told, and the end as told.
std::pair<system_clock::time_point, system_clock::time_point> forecast(const KeptToken& kept, Wall wall)
{
	if (wall == Wall::explicitMax) {
		return {system_clock::now(), system_clock::time_point(milliseconds(kept.health().capped_at_unix_ms))};
	}
	const auto isShort = [](const Heard& heard) {
		return heard.event.result == ISSUER_RESULT_SUCCESS && heard.event.ttl_ms < 3500;
	};
	(void)kept.host().await([&](const auto& events) { return std::ranges::any_of(events, isShort); });
	const auto events = kept.host().events();
	const auto found = std::ranges::find_if(events, isShort);
	if (found == events.end() || found->event.state != ISSUER_STATE_CAPPED) {
		return {};
	}
	return {system_clock::time_point(milliseconds(found->event.unix_ms)),
		system_clock::time_point(milliseconds(found->event.expires_unix_ms))};
}

Death dieAt(Wall wall, ServerKind kind)
{
	const auto server = startServer(kind);
	const auto token = cappedToken(server->admin(), wall);
	const auto end = system_clock::now() + 9s;
	const KeptToken kept(plugin(), *server, token);

	Death death;
	const auto [told, forecastEnd] = forecast(kept, wall);
	death.forecastError = std::chrono::floor<milliseconds>(std::chrono::abs(forecastEnd - end));
	death.warning = std::chrono::floor<milliseconds>(end - told);
	if (!kept.host().awaitState(ISSUER_STATE_EXPIRED)) {
		return death;
	}
	const auto died = system_clock::now();
	death.pauseAfter =
		milliseconds(kept.health().next_unix_ms) - std::chrono::floor<milliseconds>(died.time_since_epoch());
	if (isLong()) {
		passUntil(steady_clock::now() + 60s);
	}
	death.requestsAfter =
		std::ranges::count_if(kept.attempts(), [&](const auto& attempt) { return attempt.sent > died; });
	for (const auto& heard : kept.host().events()) {
		death.expired += heard.event.kind == ISSUER_EVENT_STATE && heard.event.state == ISSUER_STATE_EXPIRED ? 1 : 0;
		death.notRenewable += heard.event.result == ISSUER_RESULT_NOT_RENEWABLE ? 1 : 0;
	}
	return death;
}

TEST_P(OnTheWire, AMaxTtlIsForetoldAsSoonAsItCouldBeKnownAndDeathIsQuiet)
{
	std::vector<std::pair<Wall, std::future<Death>>> deaths;
	for (const auto wall : {Wall::explicitMax, Wall::role, Wall::mount}) {
		deaths.emplace_back(wall, std::async(std::launch::async, [=, kind = GetParam()] { return dieAt(wall, kind); }));
	}
	std::printf("| server | max TTL of | forecast off by | told before the end | requests after | EXPIRED "
				"| not renewable |\n|---|---|--:|--:|--:|--:|--:|\n");
	for (auto& [wall, dying] : deaths) {
		const auto death = dying.get();
		std::printf("| %-4s | %-16s | %4lld ms | %4lld ms | %td | %td | %td |\n", nameOf(GetParam()), nameOf(wall),
			static_cast<long long>(death.forecastError.count()), static_cast<long long>(death.warning.count()),
			death.requestsAfter, death.expired, death.notRenewable);
		const testing::ScopedTrace trace(__FILE__, __LINE__, nameOf(wall));
		EXPECT_LE(death.forecastError, 2s);
		EXPECT_GE(death.pauseAfter, 1min);
		EXPECT_LE(death.requestsAfter, 3);
		EXPECT_EQ(death.expired, 1);
		EXPECT_EQ(death.notRenewable, 1);
	}
}

} // namespace
} // namespace issuer::test
