#include "vault_fixture.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <future>
#include <issuer/handover.h>
#include <string>

/// The promises of CONTRACT.md that are the Vault plugin's own, and its races, which the thread sanitizer sees here.
/// The others are asked by `issuer-host validate` (tests/abi/validate_vault_test.py) and of the kit (tests/unit/kit).
namespace issuer::test {
namespace {

using testing::_;

class Contract : public VaultTest
{
protected:
	/// Returns the error of create for a configuration.
	std::string complaint(const std::string& json)
	{
		issuer_error error{sizeof error, ISSUER_OK, ""};
		issuer_instance* made = reinterpret_cast<issuer_instance*>(1);
		EXPECT_EQ(plugin->create(host.host(), {json.data(), json.size()}, &made, &error), ISSUER_E_INVALID);
		EXPECT_EQ(made, nullptr);
		EXPECT_EQ(error.code, ISSUER_E_INVALID);
		return error.message;
	}

	std::string anyConfig() { return config(tokenFor({.ttl = 60s})); }
};

TEST_F(Contract, TheDescriptorNamesThePlugin)
{
	EXPECT_STREQ(plugin->descriptor->id, "io.issuer.vault");
	EXPECT_THAT(plugin->descriptor->config_schema, HasSubstr("https://json-schema.org/draft/2020-12/schema"));
}

TEST_F(Contract, BadConfigurationsAreRefusedByThePathOfTheirKey)
{
	EXPECT_THAT(complaint(""), HasSubstr("JSON"));
	EXPECT_THAT(complaint("{"), HasSubstr("JSON"));
	const std::string address = R"("address":"https://v:8200")";
	EXPECT_THAT(complaint("{" + address + "}"), HasSubstr("token"));
	EXPECT_THAT(complaint("{" + address + R"(,"token":{"env":"A","file":"/b"}})"), HasSubstr("token"));
	EXPECT_THAT(complaint("{" + address + R"(,"token":{"env":"A"},"tls":{"ca_fil":"/x"}})"), HasSubstr("tls.ca_fil"));
	EXPECT_THAT(complaint("{" + address + R"(,"token":{"env":"A"},"renewal":{"min_interval":"soon"}})"),
		HasSubstr("renewal.min_interval"));
	EXPECT_THAT(complaint(R"({"address":"ftp://v","token":{"env":"A"}})"), HasSubstr("address"));
}

TEST_F(Contract, NoComplaintQuotesTheToken)
{
	EXPECT_THAT(complaint(R"({"address":"https://v","token":{"value":"s.CANARY)"), Not(HasSubstr("CANARY")));
	EXPECT_THAT(
		complaint(R"({"address":"https://v","token":{"value":"s.CANARY","file":"/x"}})"), Not(HasSubstr("CANARY")));
	EXPECT_THAT(complaint(R"({"address":"https://v","token":"s.CANARY"})"), Not(HasSubstr("CANARY")));
}

TEST_F(Contract, NullsAreAnsweredAndNotFollowed)
{
	issuer_instance* made = nullptr;
	EXPECT_EQ(plugin->create(nullptr, {"{}", 2}, &made, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(plugin->create(host.host(), {"{}", 2}, nullptr, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(plugin->create(host.host(), {nullptr, 0}, &made, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(plugin->start(nullptr, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(plugin->get_extension(nullptr), nullptr);
	EXPECT_EQ(plugin->get_extension("com.example.unknown/1"), nullptr);
}

TEST_F(Contract, ARecorderThatBlocksMakesStopTimeOutAndNothingWorse)
{
	std::promise<void> inside;
	std::promise<void> go;
	EXPECT_CALL(host, record(_))
		.WillOnce([&](const issuer_event&) {
			inside.set_value();
			go.get_future().wait();
		})
		.WillRepeatedly(testing::Return());
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s}), R"(,"startup":"background")"));
	ASSERT_EQ(issuer.start(), ISSUER_OK);
	inside.get_future().wait();
	EXPECT_EQ(issuer.stop(10), ISSUER_E_TIMEOUT);
	EXPECT_EQ(issuer.start(), ISSUER_E_STATE);
	EXPECT_EQ(plugin->destroy(issuer.get(), nullptr), ISSUER_E_BUSY);
	go.set_value();
	EXPECT_EQ(issuer.stop(), ISSUER_OK);
}

/// A recorder that must be left alone as soon as it has been replaced.
struct Guarded
{
	std::atomic<bool> allowed = true;
	std::atomic<int> violations = 0;

	static void record(void* ctx, const issuer_event*) noexcept
	{
		auto& self = *static_cast<Guarded*>(ctx);
		self.violations += self.allowed ? 0 : 1;
	}
};

TEST_F(Contract, AReplacedRecorderIsNeverCalledAgainHoweverTheyRace)
{
	TestIssuer issuer(plugin, host, config(tokenFor({.ttl = 60s}), R"(,"startup":"background")"));
	for (int race = 0; race < 300; ++race) {
		Guarded guarded;
		const issuer_recorder recorder{sizeof recorder, 0, &guarded, Guarded::record};
		ASSERT_EQ(plugin->set_recorder(issuer.get(), &recorder, nullptr), ISSUER_OK);
		ASSERT_EQ(issuer.start(), ISSUER_OK);
		ASSERT_EQ(plugin->set_recorder(issuer.get(), race % 2 == 0 ? nullptr : host.recorder(), nullptr), ISSUER_OK);
		guarded.allowed = false;
		ASSERT_EQ(issuer.stop(), ISSUER_OK);
		ASSERT_EQ(guarded.violations, 0);
	}
}

TEST_F(Contract, StopFromAnotherThreadEndsAStartThatWaits)
{
	vault->faults().add(faults::hang());
	TestIssuer issuer(plugin, host, anyConfig());
	auto started = std::async(std::launch::async, [&] { return plugin->start(issuer.get(), nullptr); });
	ASSERT_TRUE(host.awaitState(ISSUER_STATE_STARTING));
	EXPECT_EQ(issuer.stop(), ISSUER_OK);
	EXPECT_EQ(started.get(), ISSUER_E_CANCELLED);
	EXPECT_EQ(count(host.events(), ISSUER_RESULT_FAILURE), 0);
}

TEST_F(Contract, ASuccessorGoesOnWithoutAskingTheServer)
{
	const auto token = tokenFor({.ttl = 60s});
	std::string state;
	const auto* handover = plugin.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	{
		TestIssuer old(plugin, host, config(token));
		ASSERT_EQ(old.start(), ISSUER_OK) << old.message();
		renewNow(old);
		ASSERT_TRUE(host.awaitResults(ISSUER_RESULT_SUCCESS, 1));
		ASSERT_EQ(old.stop(), ISSUER_OK);
		const auto keep = [](void* ctx, issuer_str text) noexcept {
			*static_cast<std::string*>(ctx) = {text.ptr, text.len};
		};
		ASSERT_EQ(handover->export_state(old.get(), keep, &state, nullptr), ISSUER_OK);
	}
	const auto asked = vault->log().entries().size();
	NiceMock<MockHost> nextHost;
	TestIssuer next(plugin, nextHost, config(token));
	ASSERT_EQ(handover->import_state(next.get(), {state.data(), state.size()}, nullptr), ISSUER_OK);
	ASSERT_EQ(next.start(), ISSUER_OK) << next.message();
	EXPECT_EQ(vault->log().entries().size(), asked);
	EXPECT_EQ(health(next).state, ISSUER_STATE_ACTIVE);
	EXPECT_EQ(health(next).success, 1);
	EXPECT_THAT(state, Not(HasSubstr(token)));
}

/// Returns the text as a machine of another boot would have written it whose wall clock is `ahead` of this one's.
std::string fromAnotherMachine(std::string text, std::chrono::microseconds ahead)
{
	const auto replace = [&](const char* key, const std::function<std::string(const std::string&)>& with) {
		const auto from = text.find(key) + std::string_view(key).size();
		const auto to = text.find_first_of(",\"", from);
		text.replace(from, to - from, with(text.substr(from, to - from)));
	};
	replace("\"boot\":\"", [](const std::string&) { return std::string("another"); });
	replace(
		"\"seen.wall\":", [&](const std::string& wall) { return std::to_string(std::stoll(wall) + ahead.count()); });
	text.resize(text.rfind(",\"checksum\":"));
	std::uint64_t sum = 0xcbf29ce484222325U;
	for (const char byte : text + "}") {
		sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
	}
	std::array<char, 17> hex{};
	std::snprintf(hex.data(), hex.size(), "%016llX", static_cast<unsigned long long>(sum));
	return text + ",\"checksum\":\"" + hex.data() + "\"}";
}

TEST_F(Contract, AnotherMachineGoesOnFromAStateTakenWhileItRan)
{
	const auto token = tokenFor({.ttl = 60s});
	const auto* handover = plugin.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	std::string state;
	TestIssuer old(plugin, host, config(token));
	ASSERT_EQ(old.start(), ISSUER_OK) << old.message();
	const auto keep = [](void* ctx, issuer_str text) noexcept {
		*static_cast<std::string*>(ctx) = {text.ptr, text.len};
	};
	ASSERT_EQ(handover->snapshot_state(old.get(), keep, &state, nullptr), ISSUER_OK);
	EXPECT_THAT(state, Not(HasSubstr(token)));
	const auto asked = vault->log().entries().size();
	for (const auto& [ahead, lookUps] : {std::pair(1s, 0U), std::pair(-20s, 0U), std::pair(3600s, 1U)}) {
		NiceMock<MockHost> nextHost;
		TestIssuer next(plugin, nextHost, config(token));
		const auto text = fromAnotherMachine(state, ahead);
		ASSERT_EQ(handover->import_state(next.get(), {text.data(), text.size()}, nullptr), ISSUER_OK);
		ASSERT_EQ(next.start(), ISSUER_OK) << next.message();
		EXPECT_EQ(vault->log().entries().size(), asked + lookUps) << ahead.count();
		EXPECT_EQ(health(next).state, ISSUER_STATE_ACTIVE);
		EXPECT_EQ(next.stop(), ISSUER_OK);
	}
}

} // namespace
} // namespace issuer::test
