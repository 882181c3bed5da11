#include "go_client_router.h"

#include <algorithm>

namespace issuer::simulation {

using namespace std::chrono_literals;

void GoClientRouter::begin(Instant deadline)
{
	_deadline = deadline;
	_phase = _latest >= 0 ? Phase::reusing : Phase::resolving;
}

Router::Step GoClientRouter::next(Instant now)
{
	if (now >= _deadline) {
		return GiveUp{};
	}
	switch (_phase) {
	case Phase::reusing:
		return Reuse{_latest, _deadline - now};
	case Phase::resolving:
		if (_topology.named) {
			return Resolve{_deadline};
		}
		_endpoints.clear();
		for (int endpoint = 0; endpoint < _topology.endpoints; ++endpoint) {
			_endpoints.push_back(endpoint);
		}
		_phase = Phase::dialling;
		[[fallthrough]];
	case Phase::dialling: {
		_phase = Phase::over;
		const auto share = (_deadline - now) / static_cast<std::int64_t>(_endpoints.size());
		return Dial{_endpoints, _deadline, Duration::max(), std::max<Duration>(share, 2s)};
	}
	case Phase::over:
		break;
	}
	return GiveUp{};
}

void GoClientRouter::nothingKept(int)
{
	_phase = Phase::resolving;
}

std::vector<int> GoClientRouter::resolved(const std::vector<int>& endpoints, Instant)
{
	_endpoints = endpoints;
	_phase = Phase::dialling;
	return {};
}

void GoClientRouter::resolverFailed(Instant)
{
	_phase = Phase::over;
}

void GoClientRouter::resolverIsSlow(Instant)
{
	_phase = Phase::over;
}

void GoClientRouter::dialFailed(int, Instant) {}

void GoClientRouter::goodReply(int endpoint, Duration, Instant)
{
	_latest = endpoint;
}

bool GoClientRouter::badReply(int endpoint, Instant)
{
	_latest = endpoint;
	return false;
}

bool GoClientRouter::keptSilent(int, Instant)
{
	_phase = Phase::over;
	return false;
}

void GoClientRouter::keptClosed()
{
	_phase = Phase::resolving;
}

} // namespace issuer::simulation
