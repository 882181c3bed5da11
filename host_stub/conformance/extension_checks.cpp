#include "conformance/calls_from_inside.h"
#include "conformance/checks.h"
#include "conformance/trial.h"

#include <cstring>
#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <string>
#include <vector>

namespace issuer::conformance {

namespace {

void healthAnswersInEveryState(const Subject& subject)
{
	Trial trial(subject);
	const auto& health = trial.library.extension<issuer_health_ext>(ISSUER_EXT_HEALTH);
	const auto look = [&](const char* when) {
		issuer_health now{};
		now.struct_size = sizeof now;
		expectCode(std::string("snapshot of an instance that ") + when,
			health.snapshot(trial.instance.get(), &now, nullptr), ISSUER_OK);
		expect(now.struct_size >= offsetof(issuer_health, capped_at_unix_ms) && now.struct_size <= sizeof now,
			"snapshot does not say how much it filled");
		return now;
	};
	look("was never started");
	trial.run();
	look("runs");
	trial.instance.stop();
	const issuer_health stopped = look("was stopped");
	expect(stopped.state == ISSUER_STATE_STOPPED, "health of a stopped instance is not ISSUER_STATE_STOPPED");
}

void healthWritesNoFurtherThanItMay(const Subject& subject)
{
	Trial trial(subject);
	const auto& health = trial.library.extension<issuer_health_ext>(ISSUER_EXT_HEALTH);
	issuer_health now;
	std::memset(&now, 0x5A, sizeof now);
	constexpr std::size_t known = offsetof(issuer_health, success);
	now.struct_size = known;
	expectCode("snapshot into a smaller struct", health.snapshot(trial.instance.get(), &now, nullptr), ISSUER_OK);
	const auto* bytes = reinterpret_cast<const unsigned char*>(&now);
	for (std::size_t i = known; i < sizeof now; ++i) {
		expect(bytes[i] == 0x5A, "snapshot writes further than the caller's struct_size");
	}
	expect(now.struct_size <= known, "snapshot says it filled more than there was room for");
}

void controlNeedsARunningInstance(const Subject& subject)
{
	Trial trial(subject);
	const auto& control = trial.library.extension<issuer_control_ext>(ISSUER_EXT_CONTROL);
	expectCode(
		"renew_now of an instance that does not run", control.renew_now(trial.instance.get(), nullptr), ISSUER_E_STATE);
	expectCode("credential_changed of an instance that does not run",
		control.credential_changed(trial.instance.get(), nullptr), ISSUER_E_STATE);
	trial.instance.start();
	for (int press = 0; press < 10; ++press) {
		expectCode("renew_now", control.renew_now(trial.instance.get(), nullptr), ISSUER_OK);
		expectCode("credential_changed", control.credential_changed(trial.instance.get(), nullptr), ISSUER_OK);
	}
	expectCode("stop after them", trial.instance.tryStop(), ISSUER_OK);
}

void handsOverToItself(const Subject& subject)
{
	Trial old(subject);
	const auto& handover = old.library.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	std::vector<std::string> blobs;
	old.run();
	expectCode("export_state of a running instance",
		handover.export_state(old.instance.get(), keepText, &blobs, nullptr), ISSUER_E_STATE);
	expect(blobs.empty(), "export_state calls write although it fails");
	old.instance.stop();
	expectCode("export_state", handover.export_state(old.instance.get(), keepText, &blobs, nullptr), ISSUER_OK);
	expect(blobs.size() == 1, "export_state calls write " + std::to_string(blobs.size()) + " times");
	CheckedInstance next(old.library, subject, old.host);
	expectCode("import_state of a state that the same version exported",
		handover.import_state(next.get(), borrow(blobs.front()), nullptr), ISSUER_OK);
	next.start();
	expectCode("import_state of a running instance", handover.import_state(next.get(), borrow(blobs.front()), nullptr),
		ISSUER_E_STATE);
	expectCode("stop", next.tryStop(), ISSUER_OK);
}

void givesItsStateWhileItRuns(const Subject& subject)
{
	Trial old(subject);
	const auto& handover = old.library.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	if (kit::usable<issuer_handover_ext>(&handover, &issuer_handover_ext::snapshot_state) == nullptr) {
		skip("it has no snapshot_state");
	}
	std::vector<std::string> blobs;
	const auto take = [&](const char* when) {
		const auto code = handover.snapshot_state(old.instance.get(), keepText, &blobs, nullptr);
		expectCode(std::string("snapshot_state ") + when, code, ISSUER_OK);
	};
	take("before its start");
	old.run();
	take("while it runs");
	take("once more");
	expect(blobs.size() == 3, "3 calls of snapshot_state call write " + std::to_string(blobs.size()) + " times");
	CheckedInstance next(old.library, subject, old.host);
	expectCode("import_state of a state taken while the other one runs",
		handover.import_state(next.get(), borrow(blobs.back()), nullptr), ISSUER_OK);
	next.start();
	expectCode("stop of the one that went on from it", next.tryStop(), ISSUER_OK);
	expectCode("stop after its state was taken", old.instance.tryStop(), ISSUER_OK);
}

void refusesADamagedState(const Subject& subject)
{
	Trial trial(subject);
	const auto& handover = trial.library.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	for (const char* blob : {"", "nonsense", "{}", "[]", "{\"version\": 999999}", "\xff"}) {
		ErrorBuffer error;
		const std::string call = std::string("import_state of «") + blob + "»";
		expectCode(call, handover.import_state(trial.instance.get(), borrow(blob), error.get()), ISSUER_E_INVALID);
		static_cast<void>(error.message());
	}
	expectCode("start after refused states", trial.instance.tryStart(), ISSUER_OK);
}

void lendsTheCredentialOnce(const Subject& subject)
{
	Trial trial(subject);
	const auto& credential = trial.library.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL);
	std::vector<std::string> secrets;
	const auto use = [&] { return credential.use(trial.instance.get(), keepText, &secrets, nullptr); };
	expect((use() == ISSUER_OK) == (secrets.size() == 1), "use calls visit, and answers that there is no credential");
	secrets.clear();
	trial.run();
	expectCode("use of a running instance", use(), ISSUER_OK);
	expect(secrets.size() == 1, "use calls visit " + std::to_string(secrets.size()) + " times");
	expect(!secrets.front().empty(), "use lends an empty credential");
}

void refusesCallsFromAVisit(const Subject& subject)
{
	Trial trial(subject);
	const auto& credential = trial.library.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL);
	trial.run();
	CallsFromInside calls(trial);
	const auto visit = [](void* ctx, issuer_str) noexcept { static_cast<CallsFromInside*>(ctx)->make(); };
	static_cast<void>(credential.use(trial.instance.get(), visit, &calls, nullptr));
	calls.judge("visit");
	expectCode("use after it",
		credential.use(
			trial.instance.get(), [](void*, issuer_str) noexcept {}, nullptr, nullptr),
		ISSUER_OK);
}

constexpr Check checks[] = {
	{"refuses-calls-from-a-visit", "Nothing may be called from inside a visit of issuer.credential/1.", Needs::stopping,
		false, refusesCallsFromAVisit},
	{"health-answers-in-every-state", "issuer.health/1 answers before, while and after it runs.", Needs::stopping,
		false, healthAnswersInEveryState},
	{"health-writes-no-further", "issuer.health/1 fills no more than the caller has room for.", Needs::stopping, false,
		healthWritesNoFurtherThanItMay},
	{"control-needs-a-running-one", "issuer.control/1 works while it runs, and refuses otherwise.", Needs::stopping,
		false, controlNeedsARunningInstance},
	{"hands-over-to-itself", "issuer.handover/1 takes a state of the same version.", Needs::stopping, false,
		handsOverToItself},
	{"gives-its-state-while-it-runs", "issuer.handover/1 gives its state while it runs, and another goes on from it.",
		Needs::stopping, false, givesItsStateWhileItRuns},
	{"refuses-a-damaged-state", "issuer.handover/1 refuses a state that it cannot read, and starts all the same.",
		Needs::stopping, false, refusesADamagedState},
	{"lends-the-credential-once", "issuer.credential/1 shows the live credential once a call.", Needs::stopping, false,
		lendsTheCredentialOnce},
};

} // namespace

std::span<const Check> extensionChecks()
{
	return checks;
}

} // namespace issuer::conformance
