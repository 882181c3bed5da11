#include "conformance/runner.h"

#include "common/child_process.h"

#include <array>
#include <chrono>
#include <sys/wait.h>

namespace issuer::conformance {

namespace {

constexpr std::chrono::seconds limit{60};
constexpr std::array verdicts{Verdict::pass, Verdict::warn, Verdict::skip, Verdict::fail};

Outcome decode(const std::string& report)
{
	for (const Verdict verdict : verdicts) {
		const std::string name = verdictName(verdict);
		if (report.starts_with(name + ' ')) {
			return {verdict, report.substr(name.size() + 1)};
		}
	}
	return {Verdict::fail, "the check ended without a verdict"};
}

} // namespace

std::string verdictName(Verdict verdict)
{
	switch (verdict) {
	case Verdict::pass:
		return "pass";
	case Verdict::warn:
		return "warn";
	case Verdict::skip:
		return "skip";
	case Verdict::fail:
		return "fail";
	}
	return {};
}

std::vector<CheckResult> runChecks(std::span<const Check> checks, const std::string& only, const RunOne& runOne,
	const std::function<void(const CheckResult&)>& onResult)
{
	std::vector<CheckResult> results;
	const Check* closedGate = nullptr;
	for (const Check& check : checks) {
		if (!only.empty() && only != check.name) {
			continue;
		}
		const bool barred = closedGate != nullptr && check.needs > closedGate->needs;
		results.push_back(
			{&check, barred ? Outcome{Verdict::skip, std::string("see ") + closedGate->name} : runOne(check)});
		if (check.gate && !barred && closedGate == nullptr && results.back().outcome.verdict != Verdict::pass) {
			closedGate = &check;
		}
		onResult(results.back());
	}
	return results;
}

Outcome runInChild(const std::string& program, const std::vector<std::string>& arguments, const std::string& input)
{
	const ChildEnd end = runChild(program, arguments, input, limit);
	if (const std::string trouble = end.trouble(limit); !trouble.empty()) {
		return {Verdict::fail, trouble};
	}
	const int status = end.status;
	const Outcome outcome = decode(end.report);
	const bool wellEnded = WEXITSTATUS(status) == 0 || outcome.verdict == Verdict::fail;
	return wellEnded ? outcome
					 : Outcome{Verdict::fail, "the process ends with exit code " + std::to_string(WEXITSTATUS(status))};
}

void reportOutcome(const Outcome& outcome)
{
	reportToParent(verdictName(outcome.verdict) + ' ' + outcome.text);
}

} // namespace issuer::conformance
