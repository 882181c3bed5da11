#include "keeper_renewer.h"

namespace issuer::simulation {

using vault::renewal::Reports;

Reports KeeperRenewer::begin(Moment now)
{
	_warned.reset();
	return _keeper.begin(now);
}

Reports KeeperRenewer::answered(Moment sent, Moment now, const vault::renewal::Answer& answer)
{
	auto reports = _keeper.answered(sent, now, answer);
	if (!_warned && _keeper.snapshot().cappedAt) {
		_warned = now.boot;
	}
	return reports;
}

Reports KeeperRenewer::candidateFound(Moment now)
{
	_warned.reset();
	return _keeper.candidateFound(now);
}

Reports KeeperRenewer::credentialUnreadable(Moment now, bool haveToken)
{
	return _keeper.credentialUnreadable(now, haveToken, "the file is empty");
}

} // namespace issuer::simulation
