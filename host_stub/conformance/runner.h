#pragma once

#include "conformance/check.h"

#include <functional>
#include <string>
#include <vector>

namespace issuer::conformance {

struct CheckResult
{
	const Check* check;
	CheckOutcome outcome;
};

using RunOne = std::function<CheckOutcome(const Check&)>;

/// Runs checks in their order. Behind a gate that did not pass, checks with a later precondition are skipped. With
/// `only` that one check alone is run; an unknown name gives no results. `onResult` is called with each result as it
/// comes.
std::vector<CheckResult> runChecks(std::span<const Check> checks, const std::string& only, const RunOne& runOne,
	const std::function<void(const CheckResult&)>& onResult);

/// Runs a check in a child, this program with `arguments` and with `input` for its standard input, which calls
/// reportOutcome(). A child that crashes, or is killed after a minute, has failed.
[[nodiscard]] CheckOutcome runInChild(std::vector<std::string> arguments, const std::string& input);

/// Reports the outcome to the process that called runInChild(). For the child.
void reportOutcome(const CheckOutcome& outcome);

[[nodiscard]] std::string gradeName(Grade grade);

} // namespace issuer::conformance
