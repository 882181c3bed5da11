#include "commands/short_leases.h"

#include <algorithm>

namespace issuer::commands {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds shortestTakeover{2'000};
constexpr milliseconds besidesTakeover{5'000}; ///< of a takeover: an election in the engine, states read, start
constexpr std::size_t oneByOne = 10;           ///< issuers that are told in a line each

std::string inSeconds(milliseconds time)
{
	return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count()) + 's';
}

} // namespace

std::vector<std::string> ShortLeases::found(const std::vector<Lease>& leases)
{
	std::vector<std::string> lines;
	for (const auto& [name, lease] : leases) {
		if (lease <= 0ms || lease >= 4 * (_takeover + besidesTakeover) || !_known.insert(name).second) {
			continue;
		}
		_shortest = std::min(_shortest, lease);
		if (_known.size() <= oneByOne) {
			lines.push_back("issuer " + name + " has a lease of " + advice(lease));
			_told = _known.size();
		}
	}
	if (_known.size() >= 4 * std::max(_told, std::size_t{1})) {
		lines.push_back(std::to_string(_known.size()) + " issuers have leases that are too short, the shortest of " +
						advice(_shortest));
		_told = _known.size();
	}
	return lines;
}

std::string ShortLeases::advice(milliseconds lease) const
{
	const auto fits = std::chrono::floor<std::chrono::seconds>(lease / 4 - besidesTakeover);
	return inSeconds(lease) + ": a takeover takes up to " + inSeconds(_takeover + besidesTakeover) + "; " +
		   (fits >= shortestTakeover
				   ? "set \"takeover\" to \"" + inSeconds(fits) + '"'
				   : "have leases of at least " + inSeconds(4 * (shortestTakeover + besidesTakeover)) +
						 " and \"takeover\" of \"" + inSeconds(shortestTakeover) + '"');
}

} // namespace issuer::commands
