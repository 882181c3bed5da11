#pragma once

#include "renewal/facts.h"
#include "renewal/report.h"

#include <algorithm>
#include <cstdint>
#include <optional>

/// All that a keeper remembers, as plain data: what a hand-over to another version of the plugin writes down.
namespace issuer::vault::renewal {

/// What the next request is to find out.
enum class Question : std::uint8_t
{
	first,     ///< look up: what is this token?
	renewal,   ///< renew
	diagnosis, ///< look up: is a token alive whose renewal was refused in unknown words?
	wrapped,   ///< look up: how long is the lease that was granted in a wrapped answer?
	remains,   ///< look up: what is left of a token past its max TTL?
	probe,     ///< look up: is it really dead?
};

[[nodiscard]] constexpr Operation operationFor(Question question)
{
	return question == Question::renewal ? Operation::renew : Operation::lookUp;
}

/// When a token dies, as far as answers tell. A server says "60 s" at an unknown moment between the request and its
/// answer, in whole seconds: the truth lies in [earliest, latest]. Plan by the one, give up after the other.
struct Life
{
	enum class End : std::uint8_t
	{
		unknown,
		known,
		never,
	};

	End end = End::unknown;
	Instant earliest;
	Instant latest;
	/// A renewal whose answer was lost may have reached the server: then it ends at the earliest here, where the first
	/// of those before `latest` would have brought it, and at the latest there. Both are `latest` if none was lost.
	Instant hopeFrom;
	Instant hopeUntil;
	Duration lease{};            ///< what one grant brings; before the first: its period or first lease
	Duration fullLease{};        ///< what one grant ought to bring
	std::optional<Instant> wall; ///< the max TTL ends here: no renewal reaches beyond. As precise as `middle`
	Duration wallWithin{};       ///< so much later it may lie, as the answer that told it was slow
	bool wallMet = false;        ///< a renewal has run into it, so that another brings nothing

	static constexpr Duration vaguest = std::chrono::seconds(2);

	/// The hour of death to tell people. After a very slow answer rather too early than too late.
	[[nodiscard]] constexpr Instant middle() const { return earliest + std::min((latest - earliest) / 2, vaguest); }
};

/// What kind of failures the latest ones were: each kind has its own pauses.
enum class Failing : std::uint8_t
{
	not_,
	passing, ///< the server is away, busy or talks nonsense
	refused, ///< it does not know the token
	denied,  ///< it knows the token and does not renew it
};

/// The source's newest token while the one in use lives: it is asked about until the server accepts it.
struct Candidate
{
	Instant next;
	std::uint32_t refusals = 0; ///< in a row
	std::uint32_t failures = 0; ///< in a row, of every kind
	std::uint32_t useless = 0;  ///< look-ups in a row that told nothing of the token
	bool renew = false;         ///< ask for a renewal: look-ups tell nothing
};

struct Memory
{
	Life life;
	bool running = false;         ///< between begin() or resume() and stopped()
	State state = State::stopped; ///< what the life has come to, also after stopped(); `stopped`: none has begun
	Reason reason = Reason::none;

	Question question = Question::first;
	bool asking = false;          ///< attempt() was taken, its answer has not come
	Token asked = Token::current; ///< that attempt's
	std::optional<Candidate> candidate;
	std::optional<Instant> next;        ///< when to ask
	Instant started = Instant::min();   ///< the latest attempt
	Instant notBefore = Instant::min(); ///< a pause that the server has asked for
	Moment seen;                        ///< the latest moment told

	std::uint32_t failures = 0; ///< in a row
	std::uint32_t streak = 0;   ///< of them, those of the latest kind; of a dead token: probes
	Failing failing = Failing::not_;
	std::uint8_t unmoved = 0; ///< shortened grants in a row that did not move the end
	bool repairing = false;   ///< the latest request asked for the full lease, since less had been granted
	Instant failingSince;

	Duration leastLatency = Duration::max(); ///< of all answers
	Duration latency{};                      ///< recent: follows a slower answer at once, quicker ones slowly
	Duration lastLatency{};

	std::optional<WallTime> lastSuccess;
	std::optional<WallTime> lastAttempt;
	std::uint64_t successes = 0;
	std::uint64_t failuresEver = 0;
	std::uint64_t notRenewables = 0;

	State toldState = State::stopped; ///< as told last
	Duration toldLease{};
	std::optional<Instant> toldWall;
	bool toldNotRenewable = false; ///< once a life, or once a wall
	bool toldFailing = false;      ///< this outage is in the log: its end belongs there too
	bool toldUnreadable = false;   ///< and so is the credential source's failure
	bool unreadable = false;       ///< the source, before the attempt that is out
	std::int32_t notesUnspent = 0; ///< that the log takes at once
	Instant notesCounted = Instant::min();

	std::uint64_t dice = 0;
};

} // namespace issuer::vault::renewal
