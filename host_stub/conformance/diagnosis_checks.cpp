#include "common/text.h"
#include "conformance/calls_from_inside.h"
#include "conformance/checks.h"
#include "conformance/trial.h"

#include <chrono>
#include <cstdint>
#include <future>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <string>
#include <string_view>
#include <utility>

/// Whether issuer.diagnose/1 looks as it says, and tries a login where it offers that.
namespace issuer::conformance {

namespace {

constexpr std::uint32_t diagnosisMs = 5000;

/// Calls diagnose and, where it is offered, diagnose_login.
class Diagnosis
{
public:
	using Function = issuer_rc (*)(issuer_instance*, std::uint32_t, issuer_find, void*, issuer_error*);

	explicit Diagnosis(Trial& trial)
		: _trial(trial), _table(trial.library.extension<issuer_diagnose_ext>(ISSUER_EXT_DIAGNOSE))
	{
	}

	[[nodiscard]] bool offersLogin() const
	{
		return kit::usable<issuer_diagnose_ext>(&_table, &issuer_diagnose_ext::diagnose_login) != nullptr;
	}

	/// Calls the one that `name` says, with each finding going to `find`.
	template <class Find>
	[[nodiscard]] issuer_rc call(std::string_view name, std::uint32_t timeoutMs, Find& find) const
	{
		const auto forward = [](void* ctx, const issuer_finding* finding) noexcept {
			(*static_cast<Find*>(ctx))(finding);
		};
		const auto function = name == login ? _table.diagnose_login : _table.diagnose;
		return function(_trial.instance.get(), timeoutMs, forward, &find, nullptr);
	}

	/// Does `judge` with the name of each function that is offered.
	template <class Judge>
	void each(const Judge& judge) const
	{
		judge(std::string(look));
		if (offersLogin()) {
			judge(std::string(login));
		}
	}

	static constexpr std::string_view look = "diagnose";
	static constexpr std::string_view login = "diagnose_login";

private:
	Trial& _trial;
	const issuer_diagnose_ext& _table;
};

/// Returns whether the code says that it has looked, or that there is nothing to log in with.
bool hasLooked(std::string_view name, issuer_rc code)
{
	return code == ISSUER_OK || (name == Diagnosis::login && code == ISSUER_E_UNSUPPORTED);
}

std::string textOf(issuer_str text)
{
	return {text.ptr == nullptr ? "" : text.ptr, text.len};
}

/// Returns what is wrong with a finding; empty: nothing.
std::string faultOf(const issuer_finding& finding)
{
	if (!ISSUER_HAS(&finding, issuer_finding, advice)) {
		return "a finding's struct_size is " + std::to_string(finding.struct_size);
	}
	for (const auto& [name, text] : {std::pair("topic", textOf(finding.topic)), std::pair("text", textOf(finding.text)),
			 std::pair("advice", textOf(finding.advice))}) {
		if (!isUtf8(text) || sanitize(text) != text) {
			return std::string("a finding's ") + name + " is not one line of UTF-8: " + sanitize(text);
		}
	}
	return finding.topic.len == 0 || finding.text.len == 0 ? "a finding has no topic or no text" : "";
}

void findingsAreWhole(const Subject& subject)
{
	Trial trial(subject);
	const Diagnosis diagnosis(trial);
	diagnosis.each([&](const std::string& name) {
		int found = 0;
		std::string wrong;
		auto judge = [&](const issuer_finding* finding) {
			++found;
			wrong = wrong.empty() ? faultOf(*finding) : wrong;
		};
		const auto code = diagnosis.call(name, diagnosisMs, judge);
		expect(hasLooked(name, code), name + " answers " + codeName(code));
		expect(wrong.empty(), name + ": " + wrong);
		expect(code != ISSUER_OK || found > 0, name + " answers ISSUER_OK and has found nothing");
	});
}

void diagnosesInTime(const Subject& subject)
{
	using namespace std::chrono;
	constexpr milliseconds given(500);
	constexpr milliseconds grace(1000); // of a busy machine
	Trial trial(subject);
	const Diagnosis diagnosis(trial);
	auto ignore = [](const issuer_finding*) {};
	diagnosis.each([&](const std::string& name) {
		const auto begin = steady_clock::now();
		const auto code = diagnosis.call(name, given.count(), ignore);
		const auto took = duration_cast<milliseconds>(steady_clock::now() - begin);
		expect(hasLooked(name, code), name + " answers " + codeName(code));
		expect(took <= given + grace, name + " takes " + std::to_string(took.count()) + " ms where " +
										  std::to_string(given.count()) + " were given");
	});
	trial.run();
	diagnosis.each([&](const std::string& name) {
		expectCode(name + " of a running instance", diagnosis.call(name, given.count(), ignore), ISSUER_E_STATE);
	});
	expectCode("stop after them", trial.instance.tryStop(), ISSUER_OK);
}

void refusesCallsFromAFinding(const Subject& subject)
{
	Trial trial(subject);
	const Diagnosis diagnosis(trial);
	CallsFromInside calls(trial);
	auto make = [&](const issuer_finding*) { calls.make(); };
	static_cast<void>(diagnosis.call(Diagnosis::look, diagnosisMs, make));
	if (diagnosis.offersLogin()) {
		CallsFromInside more(trial);
		auto makeMore = [&](const issuer_finding*) { more.make(); };
		if (diagnosis.call(Diagnosis::login, diagnosisMs, makeMore) == ISSUER_OK) {
			more.judge("finding of a login");
		}
	}
	calls.judge("finding");
}

/// A visit that waits for the diagnosis would wait for ever: the diagnosis waits for the visit.
void lendsDuringADiagnosis(const Subject& subject)
{
	struct Lending
	{
		const issuer_credential_ext& credential;
		issuer_instance* instance;
		bool asked = false;
	};
	Trial trial(subject);
	const auto& diagnosis = trial.library.extension<issuer_diagnose_ext>(ISSUER_EXT_DIAGNOSE);
	const auto& credential = trial.library.extension<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL);
	Lending lending{credential, trial.instance.get()};
	std::future<void> lent;
	bool waits = false;
	auto ask = [&] {
		if (!std::exchange(lending.asked, true)) {
			lent = std::async(std::launch::async, [&] {
				const auto look = [](void*, issuer_str) noexcept {};
				static_cast<void>(lending.credential.use(lending.instance, look, nullptr, nullptr));
			});
			waits = lent.wait_for(patience) != std::future_status::ready;
		}
	};
	const auto find = [](void* ctx, const issuer_finding*) noexcept { (*static_cast<decltype(ask)*>(ctx))(); };
	static_cast<void>(diagnosis.diagnose(trial.instance.get(), diagnosisMs, find, &ask, nullptr));
	if (!lent.valid()) {
		skip("it found nothing");
	}
	expect(!waits, "use on another thread waits for a diagnosis");
}

constexpr Check checks[] = {
	{"findings-are-whole", "Each finding of issuer.diagnose/1 has a topic and a text, in lines of UTF-8.",
		Needs::stopping, false, findingsAreWhole},
	{"diagnoses-in-time", "issuer.diagnose/1 keeps its time, also where it logs in, and refuses while it runs.",
		Needs::stopping, false, diagnosesInTime},
	{"refuses-calls-from-a-finding", "Nothing may be called from inside a finding of issuer.diagnose/1.",
		Needs::stopping, false, refusesCallsFromAFinding},
	{"lends-during-a-diagnosis", "issuer.credential/1 does not wait for a diagnosis.", Needs::stopping, false,
		lendsDuringADiagnosis},
};

} // namespace

std::span<const Check> diagnosisChecks()
{
	return checks;
}

} // namespace issuer::conformance
