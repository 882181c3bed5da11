#pragma once

#include <compare>
#include <string_view>

namespace issuer::loader {

/// Compares two versions by the precedence of SemVer 2.0: 1.0.0-rc1 before 1.0.0 before 1.0.1 before 1.10.0; the part
/// after a + is ignored. Versions of more or fewer than three numbers are compared the same way, a missing number as 0.
[[nodiscard]] std::strong_ordering compareVersions(std::string_view one, std::string_view other);

/// Returns whether `version` is `wanted` or begins with it, in whole numbers: 0.1.2 is one of 0.1, and 0.10.0 is not.
[[nodiscard]] bool isVersionOf(std::string_view version, std::string_view wanted);

} // namespace issuer::loader
