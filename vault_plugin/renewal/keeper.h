#pragma once

#include "renewal/announcements.h"
#include "renewal/facts.h"
#include "renewal/memory.h"
#include "renewal/plan.h"
#include "renewal/policy.h"
#include "renewal/report.h"
#include "renewal/standing.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault::renewal {

/// What to ask the server now, and how long it may take in all.
struct Attempt
{
	Operation operation = Operation::lookUp;
	Duration budget{};                 ///< for every byte of it: resolution, connect, TLS, answer
	std::optional<Duration> increment; ///< whole seconds to ask for; none: what the server has set
	Token token = Token::current;
};

/// What can be asked of a token's life at any time. Cheap to copy.
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
	Duration lease{}; ///< last granted
};

/// Decides when to ask for a token's renewal, what an answer means and what to tell.
///
/// Pure: no thread, socket, lock or clock. The owner hands it the time and the facts, one call after the other, and
/// does what it says: sleep until next(), then take attempt(), send it, and hand back the answer.
///
///     begin ──▶ next() ──(time comes)──▶ attempt() ──(exchange)──▶ answered() ──▶ next() …
///                 ▲   candidateFound(), credentialUnreadable(), renewNow() at any time between
///
/// One invariant: a call changes facts (memory.h); the state follows from the facts (standing.h); the next step follows
/// from both (plan.h) and is computed at the end of each call. While a token is kept, next() has a value or an answer
/// is awaited, unless the token never expires or each request would use it up.
///
/// What is reported: every attempt to renew ends in one event with an outcome; so does a look-up that fails where a
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

	/// A life begins, or begins again after stopped(): nothing is known of the token; counters stay. Asks at once.
	/// Nothing happens if a life goes on.
	[[nodiscard]] Reports begin(Moment now);

	/// A life that another keeper has led goes on in this one, which does not live yet: no look-up, and the plan, the
	/// counters and the forecast are kept. `memory` is of the same boot. The next step is computed from the facts;
	/// times that have passed meanwhile fire at once. Tells of nothing but the state that follows STOPPED. From an
	/// empty memory it is begin(). `sameToken` false: the memory is of another token; only its counters and the log's
	/// budget are kept.
	[[nodiscard]] Reports resume(Moment now, const Memory& memory, bool sameToken = true);

	/// All that is known: for resume(), of another keeper or another version. Says most once stopped() was called.
	[[nodiscard]] const Memory& memory() const { return _memory; }

	/// When to call attempt(); none: there is nothing to do until something is told, or an answer is awaited.
	[[nodiscard]] std::optional<Instant> next() const;

	/// The request to send now. Every attempt() is followed by one answered() or credentialUnreadable(). Not before
	/// next() says so: the pause between two requests is kept there. Allocates nothing.
	[[nodiscard]] Attempt attempt(Moment now);

	/// How the attempt ended that was taken last. `sent`: when it began; `now`: when its answer had come.
	/// Ignored when no attempt is out: after stopped(), and where the token that it speaks of was given up meanwhile.
	[[nodiscard]] Reports answered(Moment sent, Moment now, const Answer& answer);

	/// The credential source gave another token than the one in use, or than the candidate before. While the token in
	/// use lives, or may, it stays in use and is renewed; the new one is a candidate, asked about in attempts with
	/// Token::candidate until the server accepts it. Where none is alive the new one is taken at once: a new life
	/// begins with a look-up, and an attempt that is out is forgotten. Does nothing after stopped().
	[[nodiscard]] Reports candidateFound(Moment now);

	/// The credential source gives the token in use, again: a candidate is dropped, and its attempt forgotten. To be
	/// told as well when a source that was unreadable gives that token again.
	[[nodiscard]] Reports candidateGone(Moment now);

	/// True from a candidateFound() on until the candidate is adopted, within candidateFound() or answered(): then the
	/// owner puts the candidate's secret in the place of the one in use. Only candidateGone() and a new life end it
	/// else.
	[[nodiscard]] bool hasCandidate() const { return _candidate != nullptr; }

	/// Plans anew after a run that failed or was interrupted: an attempt that is out is counted as one that got no
	/// answer. Afterwards next() has a value unless the state is one that never asks. Allocates nothing.
	void replan(Moment now) noexcept;

	/// The credential source gives nothing usable. With a token from before, life goes on with that one, and so does an
	/// attempt that is out. Without (`haveToken` false) this is a failed attempt, whether one is out or not: state
	/// STARTING, pauses as after any failure that may pass.
	[[nodiscard]] Reports credentialUnreadable(Moment now, bool haveToken, std::string_view why);

	/// A person or the host asks for a renewal as soon as the rules allow one. Of a token that cannot be renewed it
	/// asks how it is; of one with limited uses nothing, since asking would use it up.
	void renewNow(Moment now);

	/// The life ends for us, not for the token. Not a failure; counters stay.
	[[nodiscard]] Reports stopped(Moment now);

	/// `now`: both clocks at present. A wall clock that was set since the latest answer is followed at once.
	[[nodiscard]] Snapshot snapshot(Moment now) const;
	/// With the clocks as they were told last.
	[[nodiscard]] Snapshot snapshot() const { return snapshot(_seen); }

	/// The end of life to plan by, for whoever must put tokens in order of urgency; none: unknown or never.
	[[nodiscard]] std::optional<Instant> expiry() const;

	/// The first question of this life has a definite end: the token is alive in any way, or the attempt failed. A
	/// refused look-up settles nothing yet: the renewal that follows at once does. Nor does silence, before it has
	/// lasted for the request timeout: the first attempts are cut short.
	[[nodiscard]] bool settled() const;

private:
	/// The source's newest token, while it is not in use.
	struct Candidate
	{
		Retry retry;
		Plan plan;
	};

	/// The request that is out.
	struct Out
	{
		Operation operation;
		Token token;
	};

	// What an answer changes: answers.cpp. Facts only: nothing here plans, tells or allocates.
	Verdict conclude(const Span& span, Operation operation, const Answer& answer);
	Verdict conclude(const Span& span, const TokenFacts& facts);
	Verdict conclude(const Span& span, const Grant& grant);
	Verdict conclude(const Span& span, const WrappedGrant& grant);
	Verdict conclude(const Span& span, Operation operation, const Trouble& trouble);
	Verdict learn(const TokenFacts& facts);
	void learnBound(const TokenFacts& facts);
	Verdict renewed();
	Verdict lastsForEver();
	Verdict passing(const Span& span, Operation operation, const Trouble& trouble);
	Verdict refused(const Span& span, Operation operation, const Trouble& trouble);
	Verdict unclear(const Span& span, Operation operation, const Trouble& trouble);
	Verdict denied(const Span& span, Operation operation, const Trouble& trouble);
	Verdict lookUpDenied(const Span& span, const Trouble& trouble);
	Verdict pastMaxTtl(const Span& span, Operation operation, const Trouble& trouble);
	Verdict notRenewable(const Span& span, const Trouble& trouble);
	Verdict succeed(Outcome outcome);
	Verdict fail(const Span& span, Failing kind, const Trouble& trouble);
	void foundAlive();
	[[nodiscard]] Failing kindOf(Failing kind, const Span& span) const;
	[[nodiscard]] bool accepts(const Span& span, Operation operation, const Answer& answer);
	[[nodiscard]] Duration increment() const;

	void adopt();
	void interrupted(Instant now);
	/// The one place where next steps come from. To be called whenever facts have changed.
	void planAnew() noexcept;
	[[nodiscard]] Standing standing() const;
	template <class Tell>
	[[nodiscard]] Reports told(const Moment& now, const Tell& tell);
	[[nodiscard]] Reports answeredOfCandidate(const Span& span, Operation operation, const Answer& answer);

	std::shared_ptr<const Policy> _policy;
	Memory _memory;
	std::unique_ptr<Candidate> _candidate; ///< seldom any
	bool _running = false;                 ///< between begin() or resume() and stopped()
	std::optional<Out> _out;
	Moment _seen;            ///< the latest moment told
	std::uint64_t _rngState; ///< jitter
	Plan _plan;              ///< for the token in use: what planOf() says of the facts, and nothing else
};

} // namespace issuer::vault::renewal
