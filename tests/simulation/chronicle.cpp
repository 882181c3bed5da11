#include "chronicle.h"

namespace issuer::simulation {

std::string_view nameOf(vault::renewal::State state)
{
	using vault::renewal::State;
	switch (state) {
	case State::stopped:
		return "STOPPED";
	case State::starting:
		return "STARTING";
	case State::active:
		return "ACTIVE";
	case State::retrying:
		return "RETRYING";
	case State::capped:
		return "CAPPED";
	case State::notRenewable:
		return "NOT_RENEWABLE";
	case State::noExpiry:
		return "NO_EXPIRY";
	case State::denied:
		return "DENIED";
	case State::expired:
		return "EXPIRED";
	}
	return "?";
}

std::string_view nameOf(vault::renewal::Outcome outcome)
{
	using vault::renewal::Outcome;
	switch (outcome) {
	case Outcome::none:
		return "";
	case Outcome::success:
		return "success";
	case Outcome::failure:
		return "failure";
	case Outcome::notRenewable:
		return "not_renewable";
	}
	return "?";
}

} // namespace issuer::simulation
