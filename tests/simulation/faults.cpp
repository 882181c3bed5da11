#include "faults.h"

#include <chrono>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Grant;
using vault::renewal::Operation;
using vault::renewal::Reason;
using vault::renewal::TokenFacts;
using AnswerTrouble = vault::renewal::Trouble;

namespace {

AnswerTrouble verdict(AnswerTrouble::Kind kind, Reason reason, const char* detail)
{
	AnswerTrouble made;
	made.kind = kind;
	made.reason = reason;
	made.detail = detail;
	return made;
}

AnswerTrouble unsent()
{
	auto made = verdict(AnswerTrouble::Kind::transport, Reason::network, "connection refused");
	made.unsent = true;
	return made;
}

AnswerTrouble throttled(std::optional<Duration> retryAfter)
{
	auto made = verdict(AnswerTrouble::Kind::throttled, Reason::throttled, "rate limit quota exceeded");
	made.retryAfter = retryAfter;
	return made;
}

} // namespace

bool isGoodReply(const Answer& answer)
{
	const auto* trouble = std::get_if<AnswerTrouble>(&answer);
	if (trouble == nullptr) {
		return true;
	}
	switch (trouble->kind) {
	case AnswerTrouble::Kind::pastMaxTtl:
	case AnswerTrouble::Kind::serverAway:
	case AnswerTrouble::Kind::malformed:
	case AnswerTrouble::Kind::transport:
	case AnswerTrouble::Kind::cancelled:
		return false;
	case AnswerTrouble::Kind::denied:
	case AnswerTrouble::Kind::refused:
	case AnswerTrouble::Kind::unclearRefusal:
	case AnswerTrouble::Kind::gone:
	case AnswerTrouble::Kind::notRenewable:
	case AnswerTrouble::Kind::batch:
	case AnswerTrouble::Kind::noLease:
	case AnswerTrouble::Kind::throttled:
	case AnswerTrouble::Kind::configuration:
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
		return verdict(AnswerTrouble::Kind::serverAway, Reason::sealed, "Vault is sealed");
	case Fault::internalError:
		return verdict(AnswerTrouble::Kind::serverAway, Reason::server, "internal error");
	case Fault::noLeader:
		// A standby counts a token's life down by itself, and no further.
		if (!renews && tokenAlive) {
			return {};
		}
		return verdict(AnswerTrouble::Kind::serverAway, Reason::server, "redirected to a leader that is gone");
	case Fault::throttled:
		return throttled({});
	case Fault::throttledToEnd:
		return throttled(std::chrono::ceil<seconds>(remaining));
	case Fault::throttledTooFar:
		return throttled(1h);
	case Fault::proxyPage:
		return verdict(AnswerTrouble::Kind::malformed, Reason::malformed, "a page");
	case Fault::lookUpFails:
		return verdict(AnswerTrouble::Kind::serverAway, Reason::server, "internal error");
	case Fault::lookUpMissing:
		return verdict(AnswerTrouble::Kind::configuration, Reason::config, "no handler for route");
	case Fault::lookUpGarbage:
		return verdict(AnswerTrouble::Kind::malformed, Reason::malformed, "a page");
	case Fault::lookUpRefused:
		return verdict(AnswerTrouble::Kind::refused, Reason::refused, "permission denied");
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
		return verdict(AnswerTrouble::Kind::noLease, Reason::none, "invalid lease ID");
	case Fault::namespaceGone:
		return verdict(AnswerTrouble::Kind::configuration, Reason::config, "namespace not found");
	case Fault::policyDenies:
		if (!tokenAlive) {
			return {};
		}
		return verdict(AnswerTrouble::Kind::denied, Reason::refused, "1 error occurred: permission denied");
	case Fault::unclearRefusal:
		if (!renews) {
			return {};
		}
		return verdict(AnswerTrouble::Kind::unclearRefusal, Reason::refused, "computer says no");
	case Fault::roleGone:
	case Fault::userGone:
		if (!renews || !tokenAlive) {
			return {};
		}
		return verdict(AnswerTrouble::Kind::denied, Reason::refused, "role does not exist");
	case Fault::entityDisabled:
		return verdict(AnswerTrouble::Kind::refused, Reason::refused, "permission denied");
	}
	return {};
}

} // namespace issuer::simulation
