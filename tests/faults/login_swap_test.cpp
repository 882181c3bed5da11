#include "login_fixture.h"

#include <algorithm>
#include <string>

/// A swap while a login is under way, as a host does it: both instances are of this library.
namespace issuer::test {
namespace {

class SwapDuringALogin : public LoginsOnTheWire
{
protected:
	SwapDuringALogin() { setLife(20s, 3600s); }

	/// Begins a login whose answer the server holds back.
	void holdALogin(vault::Instance& instance)
	{
		auto fault = faults::hang();
		fault.call = "auth/approle/login";
		vault.faults().add(fault);
		denyRenewals(instance);
		ASSERT_TRUE(vault.faults().waitForStrikes(1));
	}

	/// Has another instance go on in the place of `old`, which ends.
	[[nodiscard]] Issuer swap(Issuer old, const std::string& auth, Hearing& hearing)
	{
		EXPECT_TRUE(old->stop(10s));
		const auto state = old->exportState();
		EXPECT_TRUE(state);
		auto successor = make(auth, hearing, "fail_fast");
		EXPECT_TRUE(old->lend([&](std::string_view secrets) { EXPECT_TRUE(successor->take(secrets)); }));
		old.reset();
		EXPECT_TRUE(successor->importState(*state));
		const auto started = successor->start();
		EXPECT_TRUE(started) << started.error().text;
		return successor;
	}

	[[nodiscard]] std::ptrdiff_t loginsGranted()
	{
		const auto entries = vault.log().entries();
		return std::ranges::count_if(
			entries, [](const auto& entry) { return entry.call == "auth/approle/login" && entry.status == 200; });
	}
};

TEST_F(SwapDuringALogin, KeepsTheTokenInUseAndLogsInOnceMore)
{
	Hearing before;
	auto old = make(appRole(), before, "fail_fast");
	ASSERT_TRUE(old->start());
	const auto token = tokenOf(*old);
	holdALogin(*old);

	Hearing after;
	const auto successor = swap(std::move(old), appRole(), after);
	EXPECT_EQ(tokenOf(*successor), token);
	EXPECT_TRUE(vault.api().isAlive(token));
	vault.faults().clear();
	ASSERT_TRUE(after.awaitLogins(1)) << after.everything();
	EXPECT_NE(tokenOf(*successor), token);
	EXPECT_TRUE(vault.api().isAlive(tokenOf(*successor)));
	EXPECT_EQ(loginsGranted(), 2) << "the first, and one in place of that which was held back";
	EXPECT_LE(requests("auth/approle/login"), 4) << "besides, one without an answer, and an empty one at most";
	endWithoutASecret(*successor, after);
}

TEST_F(SwapDuringALogin, LosesNoUnwrappedSecretId)
{
	const auto auth = appRole(R"(,"wrapped":true)");
	write("secret-id", wrapped("auth/approle/role/web/secret-id"));
	Hearing before;
	auto old = make(auth, before, "fail_fast");
	ASSERT_TRUE(old->start());
	const auto token = tokenOf(*old);
	holdALogin(*old);

	Hearing after;
	const auto successor = swap(std::move(old), auth, after);
	vault.faults().clear();
	ASSERT_TRUE(after.awaitLogins(1)) << after.everything();
	EXPECT_NE(tokenOf(*successor), token);
	EXPECT_EQ(requests("sys/wrapping/unwrap"), 1) << "it could not be unwrapped again";
	EXPECT_EQ(loginsGranted(), 2);
	endWithoutASecret(*successor, after);
}

} // namespace
} // namespace issuer::test
