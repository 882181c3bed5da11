#include "conformance/runner.h"

#include "common/child_process.h"

#include <array>
#include <chrono>
#include <sys/wait.h>

namespace issuer::conformance {

namespace {

constexpr std::chrono::seconds limit{60};
constexpr std::array grades{Grade::pass, Grade::warn, Grade::skip, Grade::fail};

CheckOutcome decode(const std::string& report)
{
	for (const Grade grade : grades) {
		const std::string name = gradeName(grade);
		if (report.starts_with(name + ' ')) {
			return {grade, report.substr(name.size() + 1)};
		}
	}
	return {Grade::fail, "the check ended without a verdict"};
}

} // namespace

std::string gradeName(Grade grade)
{
	switch (grade) {
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
		if (check.gate && !barred && closedGate == nullptr && results.back().outcome.grade != Grade::pass) {
			closedGate = &check;
		}
		onResult(results.back());
	}
	return results;
}

CheckOutcome runInChild(std::vector<std::string> arguments, const std::string& input)
{
	arguments.insert(arguments.begin(), thisProgram);
	const Result<ChildEnd> end =
		runChild({.arguments = std::move(arguments), .input = input, .reports = true, .limit = limit});
	if (!end) {
		return {Grade::fail, end.error().text};
	}
	const std::string trouble = end->trouble();
	CheckOutcome outcome = decode(end->report);
	const bool counts = trouble.empty() || (end->exited() && outcome.grade == Grade::fail);
	return counts ? outcome : CheckOutcome{Grade::fail, trouble};
}

void reportOutcome(const CheckOutcome& outcome)
{
	reportToParent(gradeName(outcome.grade) + ' ' + outcome.text);
}

} // namespace issuer::conformance
