#pragma once

#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace issuer::commands {

/// Finds leases that are too short for a fleet: below 4 (takeover + 5 s) less than half of the reserve is left when
/// another host has taken a token over (docs/fleet.md).
///
/// Tells each issuer once, the first ten in a line each; of more it tells the number, whenever that has become four
/// times as large.
class ShortLeases
{
public:
	explicit ShortLeases(std::chrono::milliseconds takeover) : _takeover(takeover) {}

	/// An issuer's name and the length of a whole lease of its.
	using Lease = std::pair<std::string, std::chrono::milliseconds>;

	/// Takes the leases that are known now. Returns the lines to tell.
	[[nodiscard]] std::vector<std::string> found(const std::vector<Lease>& leases);

private:
	[[nodiscard]] std::string advice(std::chrono::milliseconds lease) const;

	const std::chrono::milliseconds _takeover;
	std::set<std::string> _known; ///< issuers found so far
	std::chrono::milliseconds _shortest = std::chrono::milliseconds::max();
	std::size_t _told = 0; ///< number of issuers found when the last line was told
};

} // namespace issuer::commands
