#include "keeper_renewer.h"

#include "places_router.h"

#include <algorithm>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Reports;

Reports KeeperRenewer::begin(Moment now)
{
	_warned.reset();
	return _keeper->begin(now);
}

Reports KeeperRenewer::answered(Moment sent, Moment now, const vault::renewal::Answer& answer)
{
	const bool hadCandidate = _keeper->hasCandidate();
	auto reports = _keeper->answered(sent, now, answer);
	if (hadCandidate && !_keeper->hasCandidate()) {
		_warned.reset(); // another token
	}
	if (!_warned && _keeper->snapshot().cappedAt) {
		_warned = now.boot;
	}
	return reports;
}

Reports KeeperRenewer::candidateFound(Moment now)
{
	auto reports = _keeper->candidateFound(now);
	if (!_keeper->hasCandidate()) {
		_warned.reset();
	}
	return reports;
}

Reports KeeperRenewer::credentialUnreadable(Moment now, bool haveToken)
{
	return _keeper->credentialUnreadable(now, haveToken, "the file is empty");
}

std::unique_ptr<Router> KeeperRenewer::router(const Topology& topology) const
{
	return std::make_unique<PlacesRouter>(topology);
}

/// Returns the scheduler's wait for a slot: an eighth of the remaining life, at most 1 s; then the request goes ahead
/// of the limit.
Duration KeeperRenewer::slotWait(Instant due) const
{
	const auto end = _keeper->expiry();
	return end ? std::clamp<Duration>((*end - due) / 8, 0s, 1s) : Duration(1s);
}

/// The successor's jitter is its own.
Reports KeeperRenewer::resume(Moment now)
{
	const auto memory = _keeper->memory();
	_keeper.emplace(_policy, ++_seed);
	return _keeper->resume(now, memory);
}

} // namespace issuer::simulation
