#include "vault_fixture.h"

#include <issuer/credential.h>
#include <issuer/handover.h>
#include <issuer/secrets.h>

#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

/// A swap between two builds of the plugin while a login is under way, by the tables of the contract alone.
namespace issuer::test {
namespace {

using namespace std::chrono_literals;

class SwapOfBuilds : public VaultTest
{
protected:
	SwapOfBuilds()
	{
		vault->api().changeLogins([](Logins& logins, ServerTime) {
			auto& web = (logins.mounts["auth/approle"] = {.type = "approle"}).roles["web"];
			web.ttl = 20s;
			web.maxTtl = 3600s;
			web.roleId = "CANARY-role-of-web";
		});
	}

	/// Returns a configuration of a secret_id that can be unwrapped once.
	[[nodiscard]] std::string wrappedConfig()
	{
		ApiRequest request{.method = "POST", .target = "/v1/auth/approle/role/web/secret-id", .body = "{}"};
		request.headers.set("X-Vault-Token", vault->rootToken());
		request.headers.set("X-Vault-Wrap-TTL", "5m");
		const auto reply = vault->api().handle(request);
		EXPECT_EQ(reply.status, 200) << reply.body;
		const auto json = Poco::JSON::Parser().parse(reply.body).extract<Poco::JSON::Object::Ptr>();
		wrapping = json->getObject("wrap_info")->getValue<std::string>("token");
		const auto file = folder.write("wrapped", wrapping).string();
		return R"({"address":")" + vault->address() +
			   R"(","auth":{"method":"approle","role_id":{"value":"CANARY-role-of-web"},"secret_id":{"file":")" + file +
			   R"(","wrapped":true}}})";
	}

	/// Begins a login whose answer the server holds back.
	void holdALogin(const TestIssuer& issuer)
	{
		auto held = faults::hang();
		held.call = "auth/approle/login";
		vault->faults().add(held);
		vault->api().refuseRenewals(tokenOf(plugin, issuer), {204, ""});
		renewNow(issuer);
		ASSERT_TRUE(vault->faults().waitForStrikes(1));
	}

	static std::string tokenOf(const LoadedPlugin& of, const TestIssuer& issuer)
	{
		std::string token;
		const auto keep = [](void* ctx, issuer_str text) noexcept {
			*static_cast<std::string*>(ctx) = {text.ptr, text.len};
		};
		EXPECT_EQ(of.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL)->use(issuer.get(), keep, &token, nullptr),
			ISSUER_OK);
		return token;
	}

	/// Takes the knowledge and the secrets of `from` to `to`; returns the former.
	static std::string handOn(
		const LoadedPlugin& ofFrom, const TestIssuer& from, const LoadedPlugin& ofTo, const TestIssuer& to)
	{
		std::string state;
		const auto keep = [](void* ctx, issuer_str text) noexcept {
			*static_cast<std::string*>(ctx) = {text.ptr, text.len};
		};
		EXPECT_EQ(
			ofFrom.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER)->export_state(from.get(), keep, &state, nullptr),
			ISSUER_OK);
		struct Taker
		{
			const issuer_secrets_ext* table;
			issuer_instance* self;
		} taker{ofTo.extension<issuer_secrets_ext>(ISSUER_EXT_SECRETS), to.get()};
		const auto take = [](void* ctx, issuer_str secrets) noexcept {
			const auto& by = *static_cast<const Taker*>(ctx);
			EXPECT_EQ(by.table->take(by.self, secrets, nullptr), ISSUER_OK);
		};
		EXPECT_EQ(ofFrom.extension<issuer_secrets_ext>(ISSUER_EXT_SECRETS)->lend(from.get(), take, &taker, nullptr),
			ISSUER_OK);
		EXPECT_EQ(ofTo.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER)
					  ->import_state(to.get(), {state.data(), state.size()}, nullptr),
			ISSUER_OK);
		return state;
	}

	[[nodiscard]] std::ptrdiff_t loginsGranted()
	{
		const auto entries = vault->log().entries();
		return std::ranges::count_if(
			entries, [](const auto& entry) { return entry.call == "auth/approle/login" && entry.status == 200; });
	}

	static bool hasLoggedIn(const std::vector<Heard>& events)
	{
		return std::ranges::any_of(events, [](const Heard& heard) {
			return heard.event.kind == ISSUER_EVENT_LOGIN && heard.event.result == ISSUER_RESULT_SUCCESS;
		});
	}

	/// Expects that neither material nor token is in a text.
	void expectNoSecret(const std::string& text, const std::string& token) const
	{
		for (const auto& secret : {std::string("CANARY"), wrapping, token}) {
			EXPECT_EQ(text.find(secret), text.npos) << text;
		}
	}

	LoadedPlugin nextPlugin{ISSUER_VAULT_PLUGIN_NEXT};
	NiceMock<MockHost> nextHost;
	TempDir folder;
	std::string wrapping;
};

TEST_F(SwapOfBuilds, InTheMiddleOfALoginLosesNeitherTokenNorSecretId)
{
	const auto config = wrappedConfig();
	auto old = std::make_unique<TestIssuer>(plugin, host, config);
	ASSERT_EQ(old->start(), ISSUER_OK) << old->message();
	const auto token = tokenOf(plugin, *old);
	holdALogin(*old);

	TestIssuer next(nextPlugin, nextHost, config);
	ASSERT_EQ(old->stop(), ISSUER_OK);
	const auto state = handOn(plugin, *old, nextPlugin, next);
	old.reset();
	ASSERT_EQ(next.start(), ISSUER_OK) << next.message();
	EXPECT_EQ(tokenOf(nextPlugin, next), token);
	EXPECT_TRUE(vault->api().isAlive(token));
	EXPECT_EQ(loginsGranted(), 1);

	vault->faults().clear();
	EXPECT_TRUE(nextHost.await(hasLoggedIn)) << nextHost.everything();
	const auto following = tokenOf(nextPlugin, next);
	EXPECT_NE(following, token);
	EXPECT_EQ(loginsGranted(), 2) << "the first, and one in place of that which was held back";
	EXPECT_EQ(vault->log().count("sys/wrapping/unwrap"), 1) << "it could not be unwrapped again";
	for (const auto& each : {token, following}) {
		expectNoSecret(state + host.everything() + nextHost.everything(), each);
	}
}

TEST_F(SwapOfBuilds, GoesBackWithAllThatWasLent)
{
	const auto config = wrappedConfig();
	auto old = std::make_unique<TestIssuer>(plugin, host, config);
	ASSERT_EQ(old->start(), ISSUER_OK) << old->message();
	const auto token = tokenOf(plugin, *old);
	ASSERT_EQ(old->stop(), ISSUER_OK);
	TestIssuer again(plugin, host, config); // as after a successor that did not start
	{
		TestIssuer next(nextPlugin, nextHost, config);
		static_cast<void>(handOn(plugin, *old, nextPlugin, next));
		old.reset();
		static_cast<void>(handOn(nextPlugin, next, plugin, again));
	}
	ASSERT_EQ(again.start(), ISSUER_OK) << again.message();
	EXPECT_EQ(tokenOf(plugin, again), token);
	vault->api().refuseRenewals(token, {204, ""});
	renewNow(again);
	EXPECT_TRUE(vault->log().waitForCount("auth/approle/login", 2));
	EXPECT_TRUE(host.await([](const auto& events) {
		return std::ranges::count_if(events, [](const Heard& heard) {
			return heard.event.kind == ISSUER_EVENT_LOGIN && heard.event.result == ISSUER_RESULT_SUCCESS;
		}) >= 2;
	})) << host.everything();
	EXPECT_EQ(vault->log().count("sys/wrapping/unwrap"), 1);
}

} // namespace
} // namespace issuer::test
