#pragma once

#include "renewal/announcements.h"
#include "renewal/chance.h"
#include "renewal/facts.h"
#include "renewal/memory.h"
#include "renewal/plan.h"
#include "renewal/policy.h"
#include "renewal/report.h"
#include "renewal/standing.h"
#include "renewal/token_life.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault::renewal {

/// A request to send now, and its time limit.
struct Attempt
{
	Operation operation = Operation::lookUp;
	Duration budget{};                 ///< time limit for all of it: resolution, connect, TLS, answer
	std::optional<Duration> increment; ///< lease to ask for, in whole seconds; none: the server's default
	Token token = Token::current;
};

/// The state of a token at one moment. Cheap to copy.
struct Snapshot
{
	State state = State::stopped;
	Reason reason = Reason::none;
	std::uint32_t consecutiveFailures = 0;
	std::optional<WallTime> expires;
	std::optional<WallTime> next;
	std::optional<WallTime> lastSuccess;
	std::optional<WallTime> lastAttempt;
	std::optional<WallTime> cappedAt; ///< the forecast hour of death
	std::uint64_t successes = 0;
	std::uint64_t failures = 0;
	std::uint64_t notRenewables = 0;
	Duration lastLatency{};
	Duration lease{}; ///< length of the last grant
};

/// Decides when a token is renewed, reads each answer's meaning, and reports.
///
/// Pure: no thread, socket, lock or clock. Its owner hands it the time and the facts, one call after the other: it
/// sleeps until next(), takes attempt(), sends it, and hands back the answer.
///
///     begin ──▶ next() ──(time comes)──▶ attempt() ──(exchange)──▶ answered() ──▶ next() …
///                 ▲   candidateFound(), credentialUnreadable(), renewNow() at any time between
///
/// One invariant: a call changes facts (memory.h); the state follows from the facts (standing.h); the next step follows
/// from both (plan.h) and is computed at the end of each call. While a token is kept, next() has a value or an answer
/// is awaited, unless the token never expires or each request would use it up.
///
/// Its reports: every attempt to renew ends in one event with an outcome; so does a look-up that fails where a
/// renewal could not go on without it (the first one, the one after a wrapped grant). Where a look-up shows, or a
/// renewal, that the token's life is bounded for good, one event with Outcome::notRenewable says so once. Probes of a
/// token that is known to be dead have no outcome. An event without an outcome follows where the state changed, or
/// the forecast or the lease by more than a tenth. Notes say the same far more rarely.
///
/// The rules and their reasons are in docs/renewal.md, and stand again at each rule in the source.
class Keeper
{
public:
	/// `seed` feeds the jitter: two keepers with one seed and one history decide alike.
	/// A fleet's keepers share one policy.
	Keeper(std::shared_ptr<const Policy> policy, std::uint64_t seed);
	Keeper(const Policy& policy, std::uint64_t seed) : Keeper(std::make_shared<const Policy>(policy), seed) {}

	/// Begins a life, also again after stopped(): nothing is known of the token; counters stay. Its first request is
	/// due at once. Does nothing while a life goes on. `haveToken` false: a login will bring the first token; until
	/// candidateFound() there is nothing to ask about.
	[[nodiscard]] Reports begin(Moment now, bool haveToken = true);

	/// Continues from another keeper's state. Valid only before begin(). No look-up: the plan, the counters and the
	/// forecast are kept. `memory` is of the same boot. The next step is computed from the facts; times that have
	/// passed meanwhile fire at once. Reports nothing but the state that follows STOPPED. From an empty memory it is
	/// begin(). `sameToken` false: the memory is of another token; only its counters and the log's budget are kept.
	[[nodiscard]] Reports resume(Moment now, const Memory& memory, bool sameToken = true);

	/// Returns everything that is known, for resume() of another keeper or version. Most complete after stopped().
	[[nodiscard]] const Memory& memory() const { return _memory; }
	/// Returns both clocks as of the latest call that brought them.
	[[nodiscard]] const Moment& seen() const { return _seen; }

	/// Returns when to call attempt(); nothing: an answer is awaited, or only a new fact can cause a request.
	[[nodiscard]] std::optional<Instant> next() const;

	/// Returns the request to send now. Every attempt() is followed by one answered() or credentialUnreadable(). Not to
	/// be called before next() says so: the pause between two requests is kept there. Allocates nothing.
	[[nodiscard]] Attempt attempt(Moment now);

	/// Takes the result of the last attempt. `sent`: when it began; `now`: when its answer had come. Ignored when no
	/// attempt is under way: after stopped(), and where its token was given up meanwhile.
	[[nodiscard]] Reports answered(Moment sent, Moment now, const Answer& answer);

	/// Takes a token from the credential source other than the one in use, or than the previous candidate. While the
	/// token in use lives, or may, it stays in use and is renewed; the new one is a candidate, asked about in attempts
	/// with Token::candidate until the server accepts it. Where none is alive the new one is adopted at once: a new
	/// life begins with a look-up, and an attempt under way is forgotten. Does nothing after stopped().
	[[nodiscard]] Reports candidateFound(Moment now);
	/// Takes a token that a login made. It is a candidate until the server has accepted it, also where none is alive:
	/// a login may bring tokens that no request is accepted with. `grant`: its lease, where the login told.
	[[nodiscard]] Reports candidateFound(Moment now, const std::optional<FirstGrant>& grant);

	/// Drops the candidate, and its attempt, because the source gives the token in use again. Also to be called when a
	/// source that was unreadable gives that token again.
	[[nodiscard]] Reports candidateGone(Moment now);

	/// Returns true from a candidateFound() on until the candidate is adopted, within candidateFound() or answered():
	/// then the owner replaces the secret in use by the candidate's. Otherwise only candidateGone() and a new life end
	/// it.
	[[nodiscard]] bool hasCandidate() const { return _candidate != nullptr; }

	/// Plans anew after a run that failed or was interrupted: an attempt under way counts as one that got no answer.
	/// Afterwards next() has a value unless the state is one that never asks. Allocates nothing.
	void replan(Moment now) noexcept;

	/// Takes that the credential source gives nothing usable. An earlier token stays in use, with its attempt under
	/// way. Without one (`haveToken` false) this is a failed attempt: state STARTING, pauses as after any failure that
	/// may pass.
	[[nodiscard]] Reports credentialUnreadable(Moment now, bool haveToken, std::string_view why);

	/// Has a renewal sent as soon as the rules allow one, for an operator or the host. A token that cannot be renewed
	/// is looked up instead; one with limited uses is not, since that would cost a use.
	void renewNow(Moment now);

	/// Ends the life here; the token lives on. Not a failure; counters stay.
	[[nodiscard]] Reports stopped(Moment now);

	/// Returns the state. `now`: both clocks at present. A wall clock that was set since the latest answer is followed
	/// at once.
	[[nodiscard]] Snapshot snapshot(Moment now) const;
	/// Returns the state by the clocks of the latest call.
	[[nodiscard]] Snapshot snapshot() const { return snapshot(_seen); }

	/// Takes where the next token will come from. With a login planned, a token that cannot be renewed beyond its end
	/// stays ACTIVE, and no event says not_renewable: its end needs no alarm until a login has failed.
	[[nodiscard]] Reports followedBy(Moment now, const Successor& successor);

	/// Returns the life of the token in use, for the keeper of logins.
	[[nodiscard]] TokenLife life() const;

	/// Returns the expiry, for a scheduler that orders tokens by urgency; nothing: unknown or never.
	[[nodiscard]] std::optional<Instant> expiry() const;

	/// Returns whether the first request of this life has a definite result: the token is alive in any way, or the
	/// attempt failed. A refused look-up settles nothing yet: the renewal that follows at once does. Nor does silence,
	/// before it has lasted for the request timeout: the first attempts have shorter limits.
	[[nodiscard]] bool settled() const;

private:
	/// The request under way.
	struct Out
	{
		Operation operation;
		Token token;
	};

	// The effects of answers: answers.cpp. They change facts only: none of them plans, reports or allocates.
	Conclusion conclude(const Span& span, Operation operation, const Answer& answer);
	Conclusion conclude(const Span& span, const TokenFacts& facts);
	Conclusion conclude(const Span& span, const Grant& grant);
	Conclusion conclude(const Span& span, const WrappedGrant& grant);
	Conclusion conclude(const Span& span, Operation operation, const Trouble& trouble);
	void learnBound(const TokenFacts& facts);
	Conclusion lastsForEver();
	Conclusion passing(const Span& span, Operation operation, const Trouble& trouble);
	Conclusion refused(const Span& span, Operation operation, const Trouble& trouble);
	Conclusion unclear(const Span& span, Operation operation, const Trouble& trouble);
	Conclusion denied(const Span& span, Operation operation, const Trouble& trouble);
	Conclusion lookUpDenied(const Span& span, const Trouble& trouble);
	Conclusion pastMaxTtl(const Span& span, Operation operation, const Trouble& trouble);
	Conclusion notRenewable(const Span& span, const Trouble& trouble);
	Conclusion succeed(Outcome outcome);
	Conclusion fail(const Span& span, Failing kind, const Trouble& trouble);
	void foundAlive();
	[[nodiscard]] Failing kindOf(Failing kind, const Span& span) const;
	[[nodiscard]] bool accepts(const Span& span, Operation operation, const Answer& answer);
	[[nodiscard]] Duration increment() const;
	[[nodiscard]] bool isCandidatesTurn(Instant now) const;

	void adopt();
	Reports found(Moment now, bool provenFirst, const std::optional<FirstGrant>& grant);
	void interrupted(Moment now);
	/// Computes the next steps. To be called whenever facts have changed; no other function plans.
	void planAnew() noexcept;
	[[nodiscard]] Standing standing() const;
	template <class Tell>
	[[nodiscard]] Reports told(const Moment& now, const Tell& tell);
	[[nodiscard]] Reports answeredOfCandidate(const Span& span, Operation operation, const Answer& answer);

	std::shared_ptr<const Policy> _policy;
	Memory _memory;
	std::unique_ptr<Candidate> _candidate; ///< null: none, as almost always
	bool _running = false;                 ///< between begin() or resume() and stopped()
	bool _absent = false;                  ///< whether there is no token yet, and a login is to bring the first
	Successor _successor;
	std::optional<Out> _out;
	Moment _seen; ///< the latest moment that a call brought
	Chance _chance;
	Plan _plan; ///< for the token in use: the result of planOf() for the facts
};

} // namespace issuer::vault::renewal
