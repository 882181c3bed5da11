// The plugin's side: the promises that the kit keeps for an author's class, asked through the C table.
#include "kit_plugin.h"

#include <cstddef>
#include <cstring>
#include <issuer/control.h>
#include <stdexcept>

namespace issuer::test {
namespace {

using testing::ElementsAre;

class PluginOfTheKit : public KitTest
{
public: // callbacks are no members
	static void logNothing(void*, issuer_log_level, issuer_str, issuer_str) noexcept {}
	static const void* noExtension(void*, const char*) noexcept { return nullptr; }

	PluginOfTheKit()
	{
		EXPECT_EQ(table().create(&host, kit::borrow("{}"), &self, nullptr), ISSUER_OK);
		other = created();
	}
	~PluginOfTheKit() override
	{
		for (auto* instance : {self, other}) {
			EXPECT_EQ(table().stop(instance, 0, nullptr), ISSUER_OK);
			EXPECT_EQ(table().destroy(instance, nullptr), ISSUER_OK);
		}
		EXPECT_EQ(script.living, 0);
	}

	issuer_instance* created()
	{
		issuer_instance* made = nullptr;
		EXPECT_EQ(table().create(&host, kit::borrow("{}"), &made, nullptr), ISSUER_OK);
		return made;
	}

	std::string messageOf(const std::function<issuer_rc(issuer_error*)>& call, issuer_rc wanted)
	{
		issuer_error error{};
		error.struct_size = sizeof error;
		EXPECT_EQ(call(&error), wanted);
		EXPECT_EQ(error.code, wanted);
		return error.message;
	}

	/// Calls each slot of an instance, and expects the same answer of all.
	void expectAll(issuer_instance* instance, issuer_rc wanted)
	{
		issuer_health health{};
		health.struct_size = sizeof health;
		const issuer_visit visit = [](void*, issuer_str) noexcept {};
		const issuer_write write = visit;
		const auto* healthTable = static_cast<const issuer_health_ext*>(table().get_extension(ISSUER_EXT_HEALTH));
		const auto* handover = static_cast<const issuer_handover_ext*>(table().get_extension(ISSUER_EXT_HANDOVER));
		const auto* credential =
			static_cast<const issuer_credential_ext*>(table().get_extension(ISSUER_EXT_CREDENTIAL));
		const auto* secrets = static_cast<const issuer_secrets_ext*>(table().get_extension(ISSUER_EXT_SECRETS));
		EXPECT_EQ(secrets->take(instance, kit::borrow("secrets"), nullptr), wanted);
		EXPECT_EQ(secrets->lend(instance, visit, nullptr, nullptr), wanted);
		EXPECT_EQ(table().start(instance, nullptr), wanted);
		EXPECT_EQ(table().stop(instance, 0, nullptr), wanted);
		EXPECT_EQ(table().set_recorder(instance, nullptr, nullptr), wanted);
		EXPECT_EQ(healthTable->snapshot(instance, &health, nullptr), wanted);
		EXPECT_EQ(handover->export_state(instance, write, nullptr, nullptr), wanted);
		EXPECT_EQ(handover->snapshot_state(instance, write, nullptr, nullptr), wanted);
		EXPECT_EQ(handover->import_state(instance, kit::borrow("x"), nullptr), wanted);
		EXPECT_EQ(credential->use(instance, visit, nullptr, nullptr), wanted);
		if (wanted != ISSUER_OK) {
			EXPECT_EQ(table().destroy(instance, nullptr), wanted);
		}
	}

	issuer_host host{sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, nullptr, logNothing, noExtension};
	issuer_instance* self = nullptr;
	issuer_instance* other = nullptr;
};

TEST_F(PluginOfTheKit, IsFitToBeDriven)
{
	EXPECT_TRUE(kit::fit(table()));
	EXPECT_STREQ(table().descriptor->id, "org.example.kit");
}

TEST_F(PluginOfTheKit, AHostWithoutALogOrOfLessThan1_0IsRefused)
{
	issuer_instance* made = self;
	host.log = nullptr;
	EXPECT_EQ(table().create(&host, kit::borrow("{}"), &made, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(made, nullptr);
	host.log = logNothing;
	host.struct_size = offsetof(issuer_host, get_extension);
	EXPECT_EQ(table().create(&host, kit::borrow("{}"), &made, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(table().create(nullptr, kit::borrow("{}"), &made, nullptr), ISSUER_E_INVALID);
	host.struct_size = sizeof host;
	EXPECT_EQ(table().create(&host, kit::borrow("{}"), nullptr, nullptr), ISSUER_E_INVALID);
}

TEST_F(PluginOfTheKit, ARefusedConfigurationLeavesNoInstance)
{
	issuer_instance* made = self;
	EXPECT_EQ(
		messageOf([&](auto* error) { return table().create(&host, kit::borrow("x"), &made, error); }, ISSUER_E_INVALID),
		"no object");
	EXPECT_EQ(made, nullptr);
}

TEST_F(PluginOfTheKit, ExceptionsDoNotCross)
{
	issuer_instance* made = nullptr;
	EXPECT_EQ(messageOf([&](auto* error) { return table().create(&host, kit::borrow("throw"), &made, error); },
				  ISSUER_E_INTERNAL),
		"thrown while configuring");
	const auto start = [&](issuer_error* error) { return table().start(self, error); };
	script.onStart = []() -> kit::Answer { throw std::bad_alloc(); };
	EXPECT_EQ(messageOf(start, ISSUER_E_NOMEM), "out of memory");
	script.onStart = []() -> kit::Answer { throw 1; };
	EXPECT_EQ(messageOf(start, ISSUER_E_INTERNAL), "something unknown was thrown");
	script.onStart = [] { return kit::Answer(); };
}

TEST_F(PluginOfTheKit, NoInstanceIsAnErrorAndNoCrash)
{
	expectAll(nullptr, ISSUER_E_INVALID);
}

TEST_F(PluginOfTheKit, IsNotDestroyedWhileItRuns)
{
	EXPECT_EQ(table().start(self, nullptr), ISSUER_OK);
	EXPECT_EQ(table().destroy(self, nullptr), ISSUER_E_BUSY);
	EXPECT_EQ(script.living, 2);
}

TEST_F(PluginOfTheKit, CallsFromInsideItsOwnCallbacksAreRefusedAndOthersAreNot)
{
	struct Context
	{
		PluginOfTheKit* test;
		int calls = 0;
	} context{this};
	const auto* credential = static_cast<const issuer_credential_ext*>(table().get_extension(ISSUER_EXT_CREDENTIAL));
	const issuer_visit visit = [](void* ctx, issuer_str) noexcept {
		auto& inside = *static_cast<Context*>(ctx);
		++inside.calls;
		inside.test->expectAll(inside.test->self, ISSUER_E_REENTRANT);
		inside.test->expectAll(inside.test->other, ISSUER_OK);
	};
	EXPECT_EQ(credential->use(self, visit, &context, nullptr), ISSUER_OK);
	EXPECT_EQ(context.calls, 1);
	expectAll(self, ISSUER_OK); // it is over
}

TEST_F(PluginOfTheKit, ACallThroughAnotherInstancesCallbackIsRefusedToo)
{
	struct Context
	{
		PluginOfTheKit* test;
		const issuer_credential_ext* credential;
		int calls = 0;
	} context{this, static_cast<const issuer_credential_ext*>(table().get_extension(ISSUER_EXT_CREDENTIAL))};
	const issuer_visit outer = [](void* ctx, issuer_str) noexcept {
		auto& inside = *static_cast<Context*>(ctx);
		const issuer_visit inner = [](void* again, issuer_str) noexcept {
			auto& deeper = *static_cast<Context*>(again);
			++deeper.calls;
			deeper.test->expectAll(deeper.test->self, ISSUER_E_REENTRANT);
			deeper.test->expectAll(deeper.test->other, ISSUER_E_REENTRANT);
		};
		EXPECT_EQ(inside.credential->use(inside.test->other, inner, ctx, nullptr), ISSUER_OK);
	};
	EXPECT_EQ(context.credential->use(self, outer, &context, nullptr), ISSUER_OK);
	EXPECT_EQ(context.calls, 1);
}

TEST_F(PluginOfTheKit, CallsFromInsideRecordAndLogAreRefused)
{
	struct Context
	{
		PluginOfTheKit* test;
		int calls = 0;
	} context{this};
	const issuer_recorder recorder{sizeof recorder, 0, &context, [](void* ctx, const issuer_event*) noexcept {
									   auto& inside = *static_cast<Context*>(ctx);
									   ++inside.calls;
									   inside.test->expectAll(inside.test->other, ISSUER_E_REENTRANT);
									   inside.test->expectAll(inside.test->self, ISSUER_OK);
								   }};
	EXPECT_EQ(table().set_recorder(other, &recorder, nullptr), ISSUER_OK);
	script.latest->host.record({.detail = "an event"}); // of `other`, made last
	EXPECT_EQ(context.calls, 1);
	EXPECT_EQ(table().set_recorder(other, nullptr, nullptr), ISSUER_OK);
	script.latest->host.record({.detail = "another"});
	EXPECT_EQ(context.calls, 1);
	host.ctx = &context;
	host.log = [](void* ctx, issuer_log_level, issuer_str, issuer_str) noexcept {
		auto& inside = *static_cast<Context*>(ctx);
		++inside.calls;
		inside.test->expectAll(inside.test->other, ISSUER_E_REENTRANT);
		inside.test->expectAll(inside.test->self, ISSUER_OK);
	};
	script.latest->host.log(ISSUER_LOG_INFO, "x", "a line");
	EXPECT_EQ(context.calls, 2);
}

TEST_F(PluginOfTheKit, ARecorderOfLessThan1_0OrWithoutARecordIsRefused)
{
	issuer_recorder recorder{sizeof recorder, 0, nullptr, nullptr};
	EXPECT_EQ(table().set_recorder(self, &recorder, nullptr), ISSUER_E_INVALID);
	recorder.record = [](void*, const issuer_event*) noexcept {};
	recorder.struct_size = offsetof(issuer_recorder, record);
	EXPECT_EQ(table().set_recorder(self, &recorder, nullptr), ISSUER_E_INVALID);
	recorder.struct_size = sizeof recorder + 8; // of a later version
	EXPECT_EQ(table().set_recorder(self, &recorder, nullptr), ISSUER_OK);
	EXPECT_EQ(table().set_recorder(self, nullptr, nullptr), ISSUER_OK);
}

TEST_F(PluginOfTheKit, FillsAHealthNoFurtherThanItsCallerKnows)
{
	script.health.successes = 7;
	script.health.cappedAt = kit::WallTime{std::chrono::seconds(2)};
	const auto* health = static_cast<const issuer_health_ext*>(table().get_extension(ISSUER_EXT_HEALTH));
	issuer_health known;
	std::memset(&known, 'Z', sizeof known);
	known.struct_size = offsetof(issuer_health, capped_at_unix_ms);
	EXPECT_EQ(health->snapshot(self, &known, nullptr), ISSUER_OK);
	EXPECT_EQ(known.struct_size, offsetof(issuer_health, capped_at_unix_ms));
	EXPECT_EQ(known.success, 7U);
	EXPECT_EQ(known.expires_unix_ms, -1);
	EXPECT_EQ(known.capped_at_unix_ms, 0x5A5A5A5A5A5A5A5A);
	known.struct_size = sizeof known + 100; // a later host's
	EXPECT_EQ(health->snapshot(self, &known, nullptr), ISSUER_OK);
	EXPECT_EQ(known.struct_size, sizeof known);
	EXPECT_EQ(known.capped_at_unix_ms, 2000);
	known.struct_size = sizeof(std::uint32_t);
	EXPECT_EQ(health->snapshot(self, &known, nullptr), ISSUER_E_INVALID);
	EXPECT_EQ(health->snapshot(self, nullptr, nullptr), ISSUER_E_INVALID);
}

TEST_F(PluginOfTheKit, TellsAHostOfThisVersionOfLogins)
{
	script.health.loginSuccesses = 3;
	script.health.loginFailures = 1;
	script.health.nextLogin = kit::WallTime{std::chrono::seconds(4)};
	script.health.loginUsesLeft = 0;
	const auto* health = static_cast<const issuer_health_ext*>(table().get_extension(ISSUER_EXT_HEALTH));
	issuer_health known{};
	known.struct_size = sizeof known;
	EXPECT_EQ(health->snapshot(self, &known, nullptr), ISSUER_OK);
	EXPECT_EQ(known.login_success, 3U);
	EXPECT_EQ(known.login_failure, 1U);
	EXPECT_EQ(known.next_login_unix_ms, 4000);
	EXPECT_EQ(known.login_ends_unix_ms, -1);
	EXPECT_EQ(known.login_uses_left, 0);
}

TEST_F(PluginOfTheKit, OffersTheExtensionsWhoseFunctionsItHas)
{
	for (const char* id : {ISSUER_EXT_HEALTH, ISSUER_EXT_HANDOVER, ISSUER_EXT_CREDENTIAL, ISSUER_EXT_SECRETS}) {
		EXPECT_NE(table().get_extension(id), nullptr) << id;
	}
	for (const char* id : {ISSUER_EXT_CONTROL, ISSUER_EXT_DIAGNOSE, "org.example.other/1", ""}) {
		EXPECT_EQ(table().get_extension(id), nullptr) << id;
	}
	EXPECT_EQ(table().get_extension(nullptr), nullptr);
}

} // namespace
} // namespace issuer::test
