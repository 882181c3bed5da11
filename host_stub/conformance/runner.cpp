#include "conformance/runner.h"

#include "common/child_process.h"

#include <array>
#include <chrono>
#include <sys/wait.h>

namespace issuer::conformance {

namespace {

constexpr std::chrono::seconds limit{60};
constexpr std::array verdicts{Grade::pass, Grade::warn, Grade::skip, Grade::fail};

CheckOutcome decode(const std::string& report)
{
	for (const Grade verdict : verdicts) {
		const std::string name = verdictName(verdict);
		if (report.starts_with(name + ' ')) {
			return {verdict, report.substr(name.size() + 1)};
		}
	}
	return {Grade::fail, "the check ended without a verdict"};
}

} // namespace

std::string verdictName(Grade verdict)
{
	switch (verdict) {
	case Grade::pass:
		return "pass";
	case Grade::warn:
		return "warn";
	case Grade::skip:
		return "skip";
	case Grade::fail:
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
			{&check, barred ? CheckOutcome{Grade::skip, std::string("see ") + closedGate->name} : runOne(check)});
		if (check.gate && !barred && closedGate == nullptr && results.back().outcome.verdict != Grade::pass) {
			closedGate = &check;
		}
		onResult(results.back());
	}
	return results;
}

CheckOutcome runInChild(const std::string& program, const std::vector<std::string>& arguments, const std::string& input)
{
	const ChildEnd end = runChild(program, arguments, input, limit);
	if (const std::string trouble = end.trouble(limit); !trouble.empty()) {
		return {Grade::fail, trouble};
	}
	const int status = end.status;
	const CheckOutcome outcome = decode(end.report);
	const bool wellEnded = WEXITSTATUS(status) == 0 || outcome.verdict == Grade::fail;
	return wellEnded
			   ? outcome
			   : CheckOutcome{Grade::fail, "the process ends with exit code " + std::to_string(WEXITSTATUS(status))};
}

void reportOutcome(const CheckOutcome& outcome)
{
	reportToParent(verdictName(outcome.verdict) + ' ' + outcome.text);
}

} // namespace issuer::conformance
