#pragma once

#include "renewal/chance.h"
#include "renewal/login_budget.h"
#include "renewal/login_facts.h"
#include "renewal/login_memory.h"
#include "renewal/login_plan.h"
#include "renewal/login_policy.h"
#include "renewal/report.h"
#include "renewal/token_life.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault::renewal {

/// A request to send now. The owner fills in the material and holds what comes back.
struct LoginAttempt
{
	LoginOperation operation = LoginOperation::logIn;
	LoginToken token = LoginToken::none; ///< the token to send with it, or to revoke
	Duration budget{};                   ///< time limit for all of it
	/// With an empty object in place of the material: changes nothing, counts to no lockout, and shows that the server
	/// answers before the material is sent once more. Any answer will do.
	bool empty = false;
	/// The server counts refusals of this login towards a lockout: LoginBudget is to be asked before it is sent.
	bool counted = false;
	bool doubtful = false;    ///< likewise: the material may have ended or be used up, although it was accepted before
	bool nextAddress = false; ///< rather at another configured address than the last one (a standby locks for itself)
};

/// Decides when an issuer logs in, and judges each answer. Beside the Keeper and as pure: no thread, socket, lock or
/// clock.
///
/// A login is a source of credentials. Its token is a *candidate* of the Keeper, which keeps the token in use until a
/// look-up has proven the new one; only then the owner replaces it. So nothing here ever leaves an issuer without the
/// token that it had.
///
///     materialFound() ──▶ next() ──(time comes)──▶ attempt() ──(exchange)──▶ answered() ──▶ needs(fresh)
///     follow(Keeper::life()) ─▲                   Keeper::candidateFound(now, firstGrant()) ◀──┘
///                             └── adopted() / unproven() ◀── the Keeper's verdict on the candidate
///     successor() ──▶ Keeper::followedBy(): what the operator is told of a token that nears its end
///
/// The owner, after each call of either keeper: `login.follow(now, keeper.life())`, then
/// `keeper.followedBy(now, login.successor())`. After an answer about a candidate: when Keeper::hasCandidate() has
/// turned false, it replaces the secret in use and calls adopted(); when life().candidateRefused, it calls
/// Keeper::candidateGone() and unproven().
///
/// Rules and reasons: docs/logins.md.
class LoginKeeper
{
public:
	/// `seed` feeds the jitter: two keepers with one seed and one history decide alike.
	LoginKeeper(LoginPolicy policy, std::uint64_t seed);

	/// Begins. A token of the sink or of a hand-over may be in use already: follow() tells.
	[[nodiscard]] Reports begin(Moment now);

	/// Continues from another keeper's state, of the same boot; in place of begin(). `secretHeld`: the secret that was
	/// unwrapped before has come along.
	[[nodiscard]] Reports resume(Moment now, const LoginMemory& memory, bool secretHeld);
	/// Returns everything that is known, without secrets. Most complete after stopped().
	[[nodiscard]] const LoginMemory& memory() const { return _memory; }

	/// Takes the material as it is now; called whenever it was read anew, also when it cannot be used.
	[[nodiscard]] Reports materialFound(Moment now, const LoginMaterial& material);

	/// Takes the life of the token in use; called after each call of the Keeper's that may have changed it. Cheap.
	[[nodiscard]] Reports follow(Moment now, const TokenLife& life);

	/// Returns when to call attempt(); nothing: an answer, a proof or the first material is awaited, or only a new fact
	/// can cause a request.
	[[nodiscard]] std::optional<Instant> next() const;
	/// Returns the request to send now. Every attempt() is followed by one answered() or heldBack(). Not to be called
	/// before next() says so.
	[[nodiscard]] LoginAttempt attempt(Moment now);

	/// Takes the result of the last attempt; ignored where none is under way. After a LoggedIn that is to be proven,
	/// needs(LoginToken::fresh): the owner hands the token to the Keeper.
	[[nodiscard]] Reports answered(Moment sent, Moment now, const LoginAnswer& answer);

	/// Takes that the shared budget (LoginBudget) does not allow the attempt that attempt() returned; nothing was sent.
	/// Only for attempts that are `counted`.
	[[nodiscard]] Reports heldBack(Moment now, const LoginBudget::Leave& leave);
	/// Takes that the logins have ended that an attempt was held back for.
	void turnCame(Moment now);

	/// Returns whether the owner must hold this token: `fresh` until adopted() or unproven(), the others until they
	/// were revoked.
	[[nodiscard]] bool needs(LoginToken token) const;
	/// Returns the lease that the login granted to the fresh token, for Keeper::candidateFound(); nothing: its lease
	/// began at another time (a wrapped token), a look-up tells.
	[[nodiscard]] std::optional<FirstGrant> firstGrant() const;

	/// Takes that the Keeper has adopted the fresh token: it is in use, what was in use is replaced.
	[[nodiscard]] Reports adopted(Moment now);
	/// Takes that the server does not accept the fresh token: it is to be revoked, and the login counts as failed.
	[[nodiscard]] Reports unproven(Moment now, std::string_view why);

	/// Takes the host's wish for a renewal, or for another look at the material: logs in as soon as the rules allow
	/// where a renewal cannot help, or the last login failed. Never sooner than a refusal of the material allows.
	void renewNow(Moment now);
	/// Has a login made as soon as the rules allow one, whatever the token in use is like.
	void logInNow(Moment now);

	/// Ends here. A fresh token is rejected: needs(LoginToken::rejected) asks the owner to revoke it, as far as its
	/// time to stop allows.
	[[nodiscard]] Reports stopped(Moment now);

	/// Returns the source of the next token, for Keeper::followedBy().
	[[nodiscard]] Successor successor() const;

	/// Returns whether the first login has a definite result, or none was needed.
	[[nodiscard]] bool settled() const;

	/// The figures of the health extension.
	struct Figures
	{
		std::uint64_t successes = 0;
		std::uint64_t failures = 0;
		std::optional<WallTime> nextLogin;    ///< none: none is planned
		std::optional<WallTime> materialEnds; ///< none: not known, or replaced by nature
		std::optional<std::int64_t> usesLeft; ///< none: not known, or unlimited
	};
	[[nodiscard]] Figures figures(Moment now) const;

private:
	/// The result of one call for the reports.
	struct Verdict
	{
		Outcome outcome = Outcome::none;
		Reason reason = Reason::none;
		std::string detail;
		std::uint32_t attempt = 0;
		Duration latency{};
	};

	// The effects of answers: login_answers.cpp.
	void loggedIn(const Span& span, const LoggedIn& facts);
	void wrappingFound(const Span& span, const WrappingFacts& facts);
	void secretFound(const SecretIdFacts& facts);
	void failed(const Span& span, const LoginTrouble& trouble);
	void loginFailed(const Span& span, LoginRetry::Kind kind, Reason reason, std::string detail);
	void wrapSpent(const Span& span, std::string why);
	void unrevoked(const LoginTrouble& trouble);
	void emptyAnswered(const Span& span, const LoginTrouble& trouble);
	void rejectFresh();
	[[nodiscard]] bool endsSooner(const Span& span, const LoggedIn& facts) const;

	// Reports: login_reports.cpp.
	/// Plans, and returns the reports of this call.
	[[nodiscard]] Reports take(Moment now);
	void tellFailure(const Verdict& verdict);
	void tellForesight();
	[[nodiscard]] std::optional<WallTime> endOfMaterial(WallTime now) const;
	[[nodiscard]] Event event(const Verdict& verdict) const;
	/// `component`: "events" for what an event says too.
	bool note(Level level, std::string text, std::string_view component = "login");

	void planAnew();
	void becomesOf(const TokenLife& life, Instant now);

	struct Out
	{
		LoginOperation operation;
		LoginToken token;
		bool empty;
		std::uint64_t mark;     ///< of the material
		std::uint64_t identity; ///< likewise
		Instant startedBefore;  ///< LoginMemory::started before it
	};

	LoginPolicy _policy;
	LoginMemory _memory;
	LoginPlan _plan;
	bool _running = false;
	bool _unread = false; ///< since resume() no material was found: what is known of it is the predecessor's
	std::optional<Out> _out;
	Moment _seen;
	Chance _chance;
	std::optional<Verdict> _verdict; ///< of the present call
	Reports _reports;                ///< likewise
};

} // namespace issuer::vault::renewal
