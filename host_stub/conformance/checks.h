#pragma once

#include "conformance/check.h"

namespace issuer::conformance {

// Return the checks of one subject, in the order they are run.
[[nodiscard]] std::span<const Check> fileChecks();
[[nodiscard]] std::span<const Check> tableChecks();
[[nodiscard]] std::span<const Check> createChecks();
[[nodiscard]] std::span<const Check> lifeChecks();
[[nodiscard]] std::span<const Check> recorderChecks();
[[nodiscard]] std::span<const Check> extensionChecks();
[[nodiscard]] std::span<const Check> diagnosisChecks();
[[nodiscard]] std::span<const Check> secretChecks();
[[nodiscard]] std::span<const Check> processChecks();
[[nodiscard]] std::span<const Check> unloadChecks();

} // namespace issuer::conformance
