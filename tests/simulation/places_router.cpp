#include "places_router.h"

#include <string>
#include <type_traits>
#include <utility>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::transport::Places;

namespace {

/// An endpoint's address is its digit.
std::string addressOf(int endpoint)
{
	return std::string(1, static_cast<char>('0' + endpoint));
}

} // namespace

PlacesRouter::PlacesRouter(const Topology& topology)
{
	if (topology.named) {
		_ids.push_back(_places.addNamed());
		return;
	}
	for (int endpoint = 0; endpoint < topology.endpoints; ++endpoint) {
		const std::array address{addressOf(endpoint)};
		_ids.push_back(_places.addFixed(address));
	}
}

void PlacesRouter::begin(Instant deadline)
{
	_attempt = Places::begin(_ids, 0, deadline, true);
}

int PlacesRouter::indexOf(Places::EndpointId id)
{
	const int endpoint = _places.address(id)->front() - '0';
	_endpoints[static_cast<std::size_t>(endpoint)] = id;
	return endpoint;
}

Router::Step PlacesRouter::next(Instant now)
{
	return std::visit(
		[this](const auto& step) -> Step {
			using Which = std::decay_t<decltype(step)>;
			if constexpr (std::is_same_v<Which, Places::Reuse>) {
				return Reuse{indexOf(step.endpoint), step.patience};
			}
			else if constexpr (std::is_same_v<Which, Places::Resolve>) {
				return Resolve{step.until};
			}
			else if constexpr (std::is_same_v<Which, Places::Dial>) {
				Dial dial{{}, step.until, 250ms, Duration::max()}; // RFC 8305
				for (const auto id : step.order) {
					dial.order.push_back(indexOf(id));
				}
				return dial;
			}
			else {
				return GiveUp{};
			}
		},
		_places.next(_attempt, now));
}

void PlacesRouter::nothingKept(int endpoint)
{
	_places.nothingKept(_attempt, _endpoints[static_cast<std::size_t>(endpoint)]);
}

std::vector<int> PlacesRouter::resolved(const std::vector<int>& endpoints, Instant now)
{
	std::vector<std::string> addresses;
	for (const auto endpoint : endpoints) {
		addresses.push_back(addressOf(endpoint));
	}
	std::vector<int> gone;
	for (const auto id : _places.resolved(_attempt, _ids.front(), addresses, now)) {
		for (std::size_t endpoint = 0; endpoint < _endpoints.size(); ++endpoint) {
			if (_endpoints[endpoint] == id) {
				gone.push_back(static_cast<int>(endpoint));
			}
		}
	}
	return gone;
}

void PlacesRouter::resolverFailed(Instant now)
{
	_places.resolverFailed(_attempt, _ids.front(), now);
}

void PlacesRouter::resolverIsSlow(Instant now)
{
	_places.resolverIsSlow(_attempt, _ids.front(), now);
}

void PlacesRouter::dialFailed(int endpoint, Instant now)
{
	_places.dialFailed(_attempt, _endpoints[static_cast<std::size_t>(endpoint)], now);
}

void PlacesRouter::goodReply(int endpoint, Duration firstByteAfter, Instant now)
{
	_places.goodReply(_attempt, _endpoints[static_cast<std::size_t>(endpoint)], firstByteAfter, now);
}

bool PlacesRouter::badReply(int endpoint, Instant now)
{
	return _places.badReply(_endpoints[static_cast<std::size_t>(endpoint)], now);
}

bool PlacesRouter::keptSilent(int endpoint, Instant now)
{
	return _places.keptSilent(_attempt, _endpoints[static_cast<std::size_t>(endpoint)], now);
}

void PlacesRouter::keptClosed()
{
	_places.keptClosed(_attempt);
}

/// The pool's: 15 min, less some jitter.
Duration PlacesRouter::longestAge() const
{
	return 15min;
}

} // namespace issuer::simulation
