#include "login_fixture.h"

#include <algorithm>
#include <iostream>
#include <iterator>

/// A client uses the token all the time, whatever method has brought it, and is never refused.
namespace issuer::test {
namespace {

TEST_F(LoginsOnTheWire, WithEachMethodBringTokenAfterTokenToAClientThatIsNeverRefused)
{
	setLifeByNumber();
	const std::string methods[] = {appRole(), jwt("jwt"), jwt("kubernetes"), password("userpass"), password("ldap")};
	std::vector<std::unique_ptr<Hearing>> hearings;
	std::vector<Issuer> instances;
	std::vector<std::unique_ptr<Client>> clients;
	for (const auto& method : methods) {
		hearings.push_back(std::make_unique<Hearing>());
		instances.push_back(make(method, *hearings.back(), "fail_fast"));
		const auto started = instances.back()->start();
		ASSERT_TRUE(started) << method << ": " << started.error().text << hearings.back()->everything();
		clients.push_back(std::make_unique<Client>(vault, *instances.back()));
	}
	for (std::size_t i = 0; i < std::size(methods); ++i) {
		EXPECT_TRUE(awaitLives(*hearings[i])) << methods[i] << hearings[i]->everything();
		EXPECT_EQ(clients[i]->refused(), 0) << methods[i] << hearings[i]->everything();
		EXPECT_GT(clients[i]->uses(), 100);
		std::cout << methods[i].substr(0, methods[i].find(',')) << ": " << lives() << " lives, " << clients[i]->uses()
				  << " uses, " << clients[i]->refused() << " refused\n";
		clients[i].reset();
		endWithoutASecret(*instances[i], *hearings[i]);
	}
}

TEST_F(LoginsOnTheWire, SurviveAShortOutage)
{
	Hearing hearing;
	const auto instance = make(appRole(), hearing, "fail_fast");
	ASSERT_TRUE(instance->start());
	const Client client(vault, *instance);
	ASSERT_TRUE(hearing.awaitLogins(3)); // the life is learned
	vault.stopFor(700ms);
	EXPECT_TRUE(hearing.awaitLogins(6));
	EXPECT_EQ(client.refused(), 0) << hearing.everything();
	EXPECT_TRUE(instance->stop(10s));
}

TEST_F(LoginsOnTheWire, GoToTheNextAddressWhereOneFailsWithAnOutage)
{
	FakeVault sealed;
	sealed.api().setNode(NodeState::sealed);
	Hearing hearing;
	const auto instance = makeOf(
		configOf(appRole(), "", "fail_fast", "[\"" + sealed.address() + "\",\"" + vault.address() + "\"]"), hearing);
	const auto started = instance->start();
	ASSERT_TRUE(started) << started.error().text;
	EXPECT_GE(sealed.log().count("auth/approle/login"), 1) << "it was the first address";
	EXPECT_EQ(requests("auth/approle/login"), 1);
	EXPECT_TRUE(vault.api().isAlive(tokenOf(*instance)));
	endWithoutASecret(*instance, hearing);
}

TEST_F(LoginsOnTheWire, DoNotLockOutARoleByAWrongSecretIdAndGoOnOnceItIsMended)
{
	write("secret-id", "CANARY-wrong");
	std::vector<std::unique_ptr<Hearing>> hearings;
	std::vector<Issuer> instances;
	for (int i = 0; i < 10; ++i) {
		hearings.push_back(std::make_unique<Hearing>());
		instances.push_back(make(appRole(), *hearings.back()));
		ASSERT_TRUE(instances.back()->start());
	}
	ASSERT_TRUE(vault.log().waitForCount("auth/approle/login", 2));
	write("secret-id", "CANARY-secret-id");
	for (std::size_t i = 0; i < instances.size(); ++i) {
		EXPECT_TRUE(hearings[i]->awaitLogins(1)) << hearings[i]->everything();
		endWithoutASecret(*instances[i], *hearings[i]);
	}
	const auto entries = vault.log().entries();
	const auto refused = std::ranges::count_if(
		entries, [](const auto& request) { return request.call == "auth/approle/login" && request.status == 400; });
	EXPECT_EQ(refused, 2) << "all ten together";
}

} // namespace
} // namespace issuer::test
