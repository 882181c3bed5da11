#include "vault_fixture.h"

#include <functional>
#include <issuer/credential.h>
#include <vector>

/// A visit of issuer.credential/1 is a callback like any other.
namespace issuer::test {
namespace {

TEST_F(VaultTest, NothingMayBeCalledFromInsideAVisitOfTheSameInstance)
{
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s})));
	ASSERT_EQ(issuer.start(), ISSUER_OK);
	const auto* credential = plugin.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL);
	const auto* control = plugin.extension<issuer_control_ext>(ISSUER_EXT_CONTROL);
	const auto* healthTable = plugin.extension<issuer_health_ext>(ISSUER_EXT_HEALTH);
	std::vector<issuer_rc> answers;
	std::function<void()> callAll = [&] {
		issuer_health now{};
		now.struct_size = sizeof now;
		answers = {plugin->start(issuer.get(), nullptr), plugin->stop(issuer.get(), 0, nullptr),
			plugin->set_recorder(issuer.get(), nullptr, nullptr), control->renew_now(issuer.get(), nullptr),
			healthTable->snapshot(issuer.get(), &now, nullptr)};
	};
	const issuer_visit visit = [](void* ctx, issuer_str) noexcept { (*static_cast<std::function<void()>*>(ctx))(); };
	EXPECT_EQ(credential->use(issuer.get(), visit, &callAll, nullptr), ISSUER_OK);
	EXPECT_EQ(answers, std::vector<issuer_rc>(5, ISSUER_E_REENTRANT));
}

} // namespace
} // namespace issuer::test
