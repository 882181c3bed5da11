#include "conformance/check.h"

#include "conformance/checks.h"

#include <algorithm>
#include <vector>

namespace issuer::conformance {

std::span<const Check> allChecks()
{
	static const std::vector<Check> all = [] {
		std::vector<Check> joined;
		for (const auto checks : {fileChecks(), tableChecks(), createChecks(), lifeChecks(), recorderChecks(),
				 extensionChecks(), diagnosisChecks(), secretChecks(), processChecks(), unloadChecks()}) {
			joined.insert(joined.end(), checks.begin(), checks.end());
		}
		return joined;
	}();
	return all;
}

CheckOutcome perform(const Check& check, const Subject& subject)
try {
	check.run(subject);
	return {};
}
catch (const CheckOutcome& outcome) {
	return outcome;
}
catch (const std::exception& error) {
	return {Grade::fail, std::string("the check itself ended early: ") + error.what()};
}

} // namespace issuer::conformance
