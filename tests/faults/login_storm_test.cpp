#include "login_fixture.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <utility>

/// Many issuers whose tokens all die in an outage: they come back without a storm.
namespace issuer::test {
namespace {

/// Number of issuers whose tokens die; a suite has not the time for the thousand of
/// `ISSUER_LOGIN_ISSUERS=1000 logins_test --gtest_filter='LoginStorm.*'`.
int issuersThatDie()
{
	const auto* const wanted = std::getenv("ISSUER_LOGIN_ISSUERS");
	return wanted != nullptr ? std::atoi(wanted) : 100;
}

constexpr auto loginTakes = 100ms;
constexpr int mostInFlight = 4;

class LoginStorm : public LoginsOnTheWire
{
protected:
	struct One
	{
		std::unique_ptr<Hearing> hearing = std::make_unique<Hearing>();
		Issuer instance = nullptr; ///< last: it tells the hearing
		std::string before = {};   ///< token in use before the outage
	};

	LoginStorm() { setLife(600s, 7200s); }

	void slowLoginsDown()
	{
		auto slow = faults::latency(loginTakes);
		slow.call = "auth/approle/login";
		vault.faults().add(slow);
	}

	std::vector<One> startMany(int count)
	{
		std::vector<One> all(static_cast<std::size_t>(count));
		for (auto& one : all) {
			one.instance = make(appRole(), *one.hearing);
			EXPECT_TRUE(one.instance->start());
		}
		for (auto& one : all) {
			EXPECT_TRUE(one.hearing->awaitLogins(1)) << one.hearing->everything();
			one.before = tokenOf(*one.instance);
		}
		return all;
	}

	/// Returns the most logins that were under way at the same time, of those that the log shows from `first` on.
	[[nodiscard]] int mostLoginsAtATime(std::size_t first)
	{
		const auto entries = vault.log().entries();
		std::vector<std::pair<ServerTime, int>> changes;
		for (auto at = first; at < entries.size(); ++at) {
			if (entries[at].call == "auth/approle/login") {
				changes.emplace_back(entries[at].at - loginTakes, 1);
				changes.emplace_back(entries[at].at, -1);
			}
		}
		std::ranges::sort(changes); // an end before a begin at the same moment
		int now = 0;
		int most = 0;
		for (const auto& [at, change] : changes) {
			most = std::max(most, now += change);
		}
		return most;
	}
};

TEST_F(LoginStorm, AfterAnOutageThatKilledAllTokensIsNone)
{
	auto dying = startMany(issuersThatDie());
	auto living = startMany(20);
	const auto loginsBefore = requests("auth/approle/login");
	const auto logBefore = vault.log().entries().size();

	vault.stop();
	for (const auto& one : dying) {
		vault.api().revoke(one.before);
	}
	for (const auto* group : {&dying, &living}) {
		for (const auto& one : *group) {
			ASSERT_TRUE(one.instance->renewNow());
		}
	}
	for (const auto* group : {&dying, &living}) {
		for (const auto& one : *group) {
			ASSERT_TRUE(one.hearing->awaitReason(vault::renewal::Reason::network)) << one.hearing->everything();
		}
	}
	slowLoginsDown();
	const auto begun = std::chrono::steady_clock::now();
	vault.start();
	for (const auto& one : living) {
		EXPECT_TRUE(one.hearing->awaitRenewals(1)) << one.hearing->everything();
		EXPECT_EQ(tokenOf(*one.instance), one.before);
	}
	for (const auto& one : dying) {
		EXPECT_TRUE(one.hearing->awaitLogins(2)) << one.hearing->everything();
		EXPECT_TRUE(vault.api().isAlive(tokenOf(*one.instance)));
	}
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
	const auto most = mostLoginsAtATime(logBefore);
	std::cout << dying.size() << " issuers were back after " << took.count() << " s, with " << most
			  << " logins in flight at most\n";
	EXPECT_LE(most, mostInFlight);
	EXPECT_EQ(requests("auth/approle/login") - loginsBefore, static_cast<int>(dying.size())) << "one each";
}

} // namespace
} // namespace issuer::test
