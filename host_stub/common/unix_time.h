#pragma once

#include <chrono>
#include <cstdint>

namespace issuer {

/// Returns the milliseconds since 1970, as the contract and the journal count time.
[[nodiscard]] inline std::int64_t unixMsNow()
{
	using namespace std::chrono;
	return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace issuer
