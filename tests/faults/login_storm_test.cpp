#include "login_fixture.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <utility>

/// Many issuers whose tokens all die in an outage: they come back without a storm.
namespace issuer::test {
namespace {

/// Number of issuers whose tokens die; a suite has not the time for the thousand of
/// `ISSUER_LOGIN_ISSUERS=1000 logins_test --gtest_filter='LoginStorm.*'`.
int issuersThatDie(int unlessWanted)
{
	const auto* const wanted = std::getenv("ISSUER_LOGIN_ISSUERS");
	return wanted != nullptr ? std::atoi(wanted) : unlessWanted;
}

/// Returns the processor time of this process, in seconds: of issuers and server.
double processorTime()
{
	return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

constexpr int mostInFlight = 4;   ///< at one mount of one server
constexpr int mostOfIdentity = 2; ///< with one role_id and secret_id: each could be refused, and five refusals lock it

class LoginStorm : public LoginsOnTheWire
{
protected:
	struct One
	{
		std::unique_ptr<Hearing> hearing = std::make_unique<Hearing>();
		Issuer instance = nullptr; ///< last: it tells the hearing
		std::string before = {};   ///< token in use before the outage
	};
	using All = std::vector<One>;

	LoginStorm() { setLife(600s, 7200s); }

	/// Starts issuers, each with the `auth` that is made for its number.
	template <class Auth>
	[[nodiscard]] All startMany(int count, const Auth& auth)
	{
		All all(static_cast<std::size_t>(count));
		for (int i = 0; i < count; ++i) {
			auto& one = all[static_cast<std::size_t>(i)];
			one.instance = make(auth(i), *one.hearing);
			EXPECT_TRUE(one.instance->start());
		}
		for (auto& one : all) {
			EXPECT_TRUE(one.hearing->awaitLogins(1)) << one.hearing->everything();
			one.before = tokenOf(*one.instance);
		}
		return all;
	}

	/// Starts issuers with a role each, "web" and a number.
	[[nodiscard]] All startStrangers(int count)
	{
		vault.api().changeLogins([&](issuer::test::Logins& logins, ServerTime) {
			auto& roles = logins.mounts["auth/approle"].roles;
			for (int i = 0; i < count; ++i) {
				const auto name = "web" + std::to_string(i);
				roles[name] = roles["web"];
				roles[name].roleId = "CANARY-" + name;
			}
		});
		return startMany(count, [&](int i) {
			return R"("method":"approle","role_id":{"value":"CANARY-web)" + std::to_string(i) +
				   R"("},"secret_id":{"file":")" + path("secret-id") + "\"}";
		});
	}

	/// Has all issuers notice that the server is away, and those of `dying` lose their tokens meanwhile.
	void outage(const All& dying, const All& living)
	{
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
	}

	void holdLogins()
	{
		auto held = faults::hang();
		held.call = "auth/approle/login";
		vault.faults().add(held);
	}

	void letLoginsThroughSlowly()
	{
		auto slow = faults::latency(100ms);
		slow.call = "auth/approle/login";
		vault.faults().clear();
		vault.faults().add(slow);
	}

	void expectAllBack(const All& dying)
	{
		for (const auto& one : dying) {
			EXPECT_TRUE(one.hearing->awaitLogins(2)) << one.hearing->everything();
			EXPECT_TRUE(vault.api().isAlive(tokenOf(*one.instance)));
		}
	}

	/// Returns the logins that the log shows from entry `first` on.
	[[nodiscard]] RequestLog::Entries loginsFrom(std::size_t first)
	{
		auto entries = vault.log().entries();
		entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(first));
		std::erase_if(entries, [](const auto& entry) { return entry.call != "auth/approle/login"; });
		return entries;
	}

	/// Returns the most that were with the server at the same time.
	[[nodiscard]] static int mostAtATime(const RequestLog::Entries& logins)
	{
		std::vector<std::pair<ServerTime, int>> changes;
		for (const auto& login : logins) {
			changes.emplace_back(login.begun, 1);
			changes.emplace_back(login.at, -1);
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

/// Each has a role of its own: only the lane of the mount holds them back.
TEST_F(LoginStorm, AfterAnOutageThatKilledAllTokensIsNone)
{
	const auto dying = startStrangers(issuersThatDie(100));
	const auto living = startMany(20, [&](int) { return appRole(); });
	const auto logBefore = vault.log().entries().size();
	outage(dying, living);

	holdLogins();
	const auto begun = std::chrono::steady_clock::now();
	vault.start();
	EXPECT_TRUE(vault.faults().waitForStrikes(mostInFlight));
	for (const auto& one : living) {
		EXPECT_TRUE(one.hearing->awaitRenewals(1)) << "it waits for logins: " << one.hearing->everything();
		EXPECT_EQ(tokenOf(*one.instance), one.before);
	}
	EXPECT_TRUE(loginsFrom(logBefore).empty()) << "one was answered before all renewals were";
	letLoginsThroughSlowly();
	expectAllBack(dying);
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
	const auto logins = loginsFrom(logBefore);
	const auto most = mostAtATime(logins);
	std::cout << dying.size() << " issuers were back after " << took.count() << " s, with " << most
			  << " logins in flight at most\n";
	EXPECT_EQ(most, mostInFlight);
	EXPECT_EQ(logins.size(), dying.size()) << "one each";
}

TEST_F(LoginStorm, OfOneIdentityIsTwoLoginsAtATime)
{
	const auto siblings = startMany(issuersThatDie(20), [&](int) { return appRole(); });
	const auto logBefore = vault.log().entries().size();
	outage(siblings, {});

	holdLogins();
	vault.start();
	EXPECT_TRUE(vault.faults().waitForStrikes(mostOfIdentity));
	const auto begun = std::chrono::steady_clock::now();
	const auto usedBefore = processorTime();
	letLoginsThroughSlowly();
	expectAllBack(siblings);
	const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
	std::cout << siblings.size() << " siblings were back after " << took.count() << " s, which took "
			  << processorTime() - usedBefore << " s of a processor\n";
	const auto logins = loginsFrom(logBefore);
	EXPECT_EQ(mostAtATime(logins), mostOfIdentity);
	EXPECT_EQ(logins.size(), siblings.size()) << "one each";
}

} // namespace
} // namespace issuer::test
