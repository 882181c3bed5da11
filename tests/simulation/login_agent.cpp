#include "login_agent.h"

#include <algorithm>

namespace issuer::simulation {

using namespace std::chrono_literals;
using namespace vault::renewal;

std::optional<LoginRequest> LoginAgent::request(Moment now)
{
	if (_asking || !_next || *_next > now.boot) {
		return std::nullopt;
	}
	_asking = true;
	LoginRequest request;
	request.login = !_watching;
	request.renewal = Operation::renew;
	request.token = _inUse;
	request.budget = 60s;
	return request;
}

/// Sleeps until two thirds of the lease are over; where that would leave less than the grace, until there it ends.
void LoginAgent::watch(Instant now, Duration lease)
{
	_watching = true;
	if (lease > _lease || _grace == 0s) {
		_grace = Duration(static_cast<std::int64_t>(static_cast<double>(lease.count()) * (0.1 + 0.1 * _dice.share())));
	}
	_lease = lease;
	_end = now + lease;
	const auto sleep = lease * 2 / 3 + _grace / 3;
	if (lease - sleep <= _grace) {
		_watching = false; // it ends, and its owner logs in just before the token does
		_next = std::max(now, _end - _grace);
		return;
	}
	_next = now + sleep;
}

void LoginAgent::answered(Moment, Moment now, const LoginRequest& request, const LoginReply& reply)
{
	_asking = false;
	if (request.login) {
		const auto& answer = std::get<LoginAnswer>(reply.answer);
		const auto* facts = std::get_if<LoggedIn>(&answer);
		if (facts == nullptr) {
			_next = now.boot + _pause;
			_pause = std::min<Duration>(2 * _pause, 5min);
			return;
		}
		_pause = 1s;
		_inUse = *reply.token;
		_diary.uses.push_back({_issuer, now.boot, _inUse, false});
		_grace = 0s;
		watch(now.boot, facts->lease);
		return;
	}
	const auto& answer = std::get<Answer>(reply.answer);
	if (const auto* grant = std::get_if<Grant>(&answer)) {
		watch(now.boot, grant->lease);
		return;
	}
	const auto& trouble = std::get<Trouble>(answer);
	const bool passes = trouble.kind == Trouble::Kind::transport || trouble.kind == Trouble::Kind::serverAway;
	if (passes && now.boot + 10s < _end - _grace) {
		_next = now.boot + 10s;
		return;
	}
	_watching = false;
	_next = passes ? std::max(now.boot, _end - _grace) : now.boot;
}

} // namespace issuer::simulation
