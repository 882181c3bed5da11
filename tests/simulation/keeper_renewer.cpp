#include "keeper_renewer.h"

namespace issuer::simulation {

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

/// The successor's jitter is its own.
Reports KeeperRenewer::resume(Moment now)
{
	const auto memory = _keeper->memory();
	_keeper.emplace(_policy, ++_seed);
	return _keeper->resume(now, memory);
}

} // namespace issuer::simulation
