#include "observe/fleet/progress.h"

#include "common/duration.h"

#include <algorithm>

namespace issuer::observe {

std::string stall(const std::vector<IssuerView>& issuers, SteadyTime lastEvent, SteadyTime now)
{
	if (lastEvent + patience > now) {
		return {};
	}
	const auto overdue = [&](const IssuerView& issuer) {
		return issuer.host.phase == Phase::running && issuer.told.due && *issuer.told.due + patience <= now;
	};
	const auto count = std::ranges::count_if(issuers, overdue);
	if (count == 0) {
		return {};
	}
	return std::to_string(count) + (count == 1 ? " issuer is" : " issuers are") +
		   " overdue and no plugin has said anything for " + inWords(now - lastEvent);
}

} // namespace issuer::observe
