#include "virtual_network.h"

#include <algorithm>
#include <utility>

namespace issuer::simulation {

using namespace std::chrono_literals;

void VirtualNetwork::breakConnections(WayFault how)
{
	for (auto& connection : _idle) {
		connection.broken = how;
	}
}

std::optional<WayFault> VirtualNetwork::faultOf(int endpoint, Instant now) const
{
	return simulation::faultOf(_troubles, endpoint, now, now);
}

std::optional<WayFault> VirtualNetwork::faultOf(const Connection& connection, Instant now) const
{
	return connection.broken ? connection.broken : faultOf(connection.endpoint, now);
}

void VirtualNetwork::forget(Instant now)
{
	_idle.clear();
	_query.reset();
	if (!_resolutions.empty()) {
		_resolutions.push_back({now, 0});
	}
}

Instant VirtualNetwork::askResolver(Instant now)
{
	if (!_query) {
		const bool hangs = holds(_troubles, NetFault::resolverHangs, now, now);
		const bool fails = holds(_troubles, NetFault::resolverFails, now, now);
		_query = Query{now + (hangs ? resolverTimeout : _topology.resolving), hangs || fails};
	}
	return _query->answered;
}

std::vector<int> VirtualNetwork::resolverAnswer(Instant now)
{
	if (std::exchange(_query, std::nullopt)->fails) {
		return {};
	}
	const auto endpoints = namedBetween(_topology, _troubles, now, now);
	if (_resolutions.empty() || _resolutions.back().endpoints != endpoints) {
		_resolutions.push_back({now, endpoints});
	}
	std::vector<int> list;
	for (int endpoint = 0; endpoint < mostEndpoints; ++endpoint) {
		if ((endpoints >> endpoint & 1) != 0) {
			list.push_back(endpoint);
		}
	}
	return list;
}

VirtualNetwork::Connection VirtualNetwork::open(int endpoint, Instant now)
{
	Connection connection{_opened[static_cast<std::size_t>(endpoint)]++, endpoint, now, Instant::max(), {}};
	for (const auto& trouble : _troubles) {
		const auto& incident = trouble.incident;
		const bool hit = (incident.which >> connection.number % 4 & 1U) != 0;
		if (incident.fault == NetFault::connections && trouble.overlaps(now, now) && hit) {
			connection.broken = incident.how;
		}
	}
	return connection;
}

/// A connection that was closed more than a moment ago is seen to be closed, and not used.
std::optional<VirtualNetwork::Connection> VirtualNetwork::take(int endpoint, Instant now, Duration longestAge)
{
	const Duration idlest = _topology.closesIdle > 0s ? _topology.closesIdle - 1ms : Duration::max();
	std::erase_if(_idle, [&](const Connection& connection) {
		return now - connection.idleSince >= idlest || now - connection.opened >= longestAge ||
			   faultOf(connection, now - 1ms) == WayFault::refuses;
	});
	const auto found = std::ranges::find(_idle.rbegin(), _idle.rend(), endpoint, &Connection::endpoint);
	if (found == _idle.rend()) {
		return {};
	}
	auto connection = *found;
	_idle.erase(std::next(found).base());
	connection.idleSince = Instant::max();
	return connection;
}

void VirtualNetwork::keep(Connection connection, Instant now)
{
	connection.idleSince = now;
	_idle.push_back(connection);
}

void VirtualNetwork::closeIdle(int endpoint)
{
	std::erase_if(_idle, [&](const Connection& connection) { return connection.endpoint == endpoint; });
}

} // namespace issuer::simulation
