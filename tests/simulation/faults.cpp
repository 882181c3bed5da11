#include "faults.h"

#include <chrono>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Grant;
using vault::renewal::Operation;
using vault::renewal::Reason;
using vault::renewal::TokenFacts;
using Verdict = vault::renewal::Trouble;

namespace {

Verdict verdict(Verdict::Kind kind, Reason reason, const char* detail)
{
	Verdict made;
	made.kind = kind;
	made.reason = reason;
	made.detail = detail;
	return made;
}

Verdict unsent()
{
	auto made = verdict(Verdict::Kind::transport, Reason::network, "connection refused");
	made.unsent = true;
	return made;
}

Verdict throttled(std::optional<Duration> retryAfter)
{
	auto made = verdict(Verdict::Kind::throttled, Reason::throttled, "rate limit quota exceeded");
	made.retryAfter = retryAfter;
	return made;
}

} // namespace

bool isGoodReply(const Answer& answer)
{
	const auto* trouble = std::get_if<Verdict>(&answer);
	if (trouble == nullptr) {
		return true;
	}
	switch (trouble->kind) {
	case Verdict::Kind::pastMaxTtl:
	case Verdict::Kind::serverAway:
	case Verdict::Kind::malformed:
	case Verdict::Kind::transport:
	case Verdict::Kind::cancelled:
		return false;
	case Verdict::Kind::denied:
	case Verdict::Kind::refused:
	case Verdict::Kind::unclearRefusal:
	case Verdict::Kind::gone:
	case Verdict::Kind::notRenewable:
	case Verdict::Kind::batch:
	case Verdict::Kind::noLease:
	case Verdict::Kind::throttled:
	case Verdict::Kind::configuration:
		return true;
	}
	return true;
}

std::optional<Answer> answerInstead(Fault fault, Operation operation, bool tokenAlive, Duration remaining)
{
	const bool renews = operation == Operation::renew;
	switch (fault) {
	case Fault::asleep:
	case Fault::runsFail:
	case Fault::hanging:
	case Fault::frozen:
	case Fault::frozenLeader:
	case Fault::replyLost:
	case Fault::wrapped:
	case Fault::lastRenewal:
	case Fault::sourceUnreadable:
	case Fault::sourceHangs:
		return {};
	case Fault::refused:
		return unsent();
	case Fault::sealed:
		return verdict(Verdict::Kind::serverAway, Reason::sealed, "Vault is sealed");
	case Fault::internalError:
		return verdict(Verdict::Kind::serverAway, Reason::server, "internal error");
	case Fault::noLeader:
		// A standby counts a token's life down by itself, and no further.
		if (!renews && tokenAlive) {
			return {};
		}
		return verdict(Verdict::Kind::serverAway, Reason::server, "redirected to a leader that is gone");
	case Fault::throttled:
		return throttled({});
	case Fault::throttledToEnd:
		return throttled(std::chrono::ceil<seconds>(remaining));
	case Fault::throttledTooFar:
		return throttled(1h);
	case Fault::proxyPage:
		return verdict(Verdict::Kind::malformed, Reason::malformed, "a page");
	case Fault::lookUpFails:
		return verdict(Verdict::Kind::serverAway, Reason::server, "internal error");
	case Fault::lookUpMissing:
		return verdict(Verdict::Kind::configuration, Reason::config, "no handler for route");
	case Fault::lookUpGarbage:
		return verdict(Verdict::Kind::malformed, Reason::malformed, "a page");
	case Fault::lookUpRefused:
		return verdict(Verdict::Kind::refused, Reason::refused, "permission denied");
	case Fault::absurdLease: {
		constexpr Duration absurd = std::chrono::years(90);
		TokenFacts facts;
		facts.ttl = absurd;
		return renews ? Answer(Grant{absurd, false}) : Answer(facts);
	}
	case Fault::leaseUnknown:
		if (!renews || !tokenAlive) {
			return {};
		}
		return verdict(Verdict::Kind::noLease, Reason::none, "invalid lease ID");
	case Fault::namespaceGone:
		return verdict(Verdict::Kind::configuration, Reason::config, "namespace not found");
	case Fault::policyDenies:
		if (!tokenAlive) {
			return {};
		}
		return verdict(Verdict::Kind::denied, Reason::refused, "1 error occurred: permission denied");
	case Fault::unclearRefusal:
		if (!renews) {
			return {};
		}
		return verdict(Verdict::Kind::unclearRefusal, Reason::refused, "computer says no");
	case Fault::roleGone:
	case Fault::userGone:
		if (!renews || !tokenAlive) {
			return {};
		}
		return verdict(Verdict::Kind::denied, Reason::refused, "role does not exist");
	case Fault::entityDisabled:
		return verdict(Verdict::Kind::refused, Reason::refused, "permission denied");
	}
	return {};
}

} // namespace issuer::simulation
