#include "observe/exec/turning_points.h"

#include "observe/events/names.h"

namespace issuer::observe {

namespace {

bool endIsFixed(issuer_state state)
{
	return state == ISSUER_STATE_CAPPED || state == ISSUER_STATE_NOT_RENEWABLE;
}

} // namespace

std::string_view turnName(Turn turn)
{
	switch (turn) {
	case Turn::recovered:
		return "recovered";
	case Turn::capped:
		return "capped";
	case Turn::dead:
		return "dead";
	case Turn::replaced:
		return "replaced";
	case Turn::loggedIn:
		return "logged_in";
	case Turn::loginFailed:
		return "login_failed";
	case Turn::loginEnds:
		return "login_ends";
	}
	return {};
}

std::vector<Turn> TurningPoints::at(std::string_view issuer, const issuer_event& event)
{
	if (!isKnown(event.kind)) {
		return {};
	}
	const std::lock_guard lock(_mutex);
	auto found = _issuers.find(issuer);
	if (found == _issuers.end()) {
		found = _issuers.emplace(issuer, Known{}).first;
	}
	Known& known = found->second;
	std::vector<Turn> turns;
	if (event.reason == ISSUER_REASON_CREDENTIAL_CHANGED && known.reason != event.reason) {
		turns.push_back(Turn::replaced);
	}
	if (endIsFixed(event.state) && !endIsFixed(known.state)) {
		turns.push_back(Turn::capped);
	}
	if (event.state == ISSUER_STATE_EXPIRED && known.state != event.state) {
		turns.push_back(Turn::dead);
	}
	if (event.kind == ISSUER_EVENT_RENEWAL && event.result == ISSUER_RESULT_SUCCESS && known.failing) {
		turns.push_back(Turn::recovered);
	}
	if (event.kind == ISSUER_EVENT_RENEWAL) {
		known.failing = event.result == ISSUER_RESULT_FAILURE;
	}
	if (event.kind == ISSUER_EVENT_LOGIN) {
		const bool failed = event.result == ISSUER_RESULT_FAILURE;
		if (event.result == ISSUER_RESULT_SUCCESS) {
			turns.push_back(Turn::loggedIn);
		}
		else if (failed && !known.loginFailing) {
			turns.push_back(Turn::loginFailed);
		}
		else if (event.result == ISSUER_RESULT_NONE && event.reason == ISSUER_REASON_LOGIN_ENDS) {
			turns.push_back(Turn::loginEnds);
		}
		known.loginFailing = event.result == ISSUER_RESULT_NONE ? known.loginFailing : failed;
	}
	known.state = event.state;
	known.reason = event.reason;
	return turns;
}

} // namespace issuer::observe
