#pragma once

#include "base/time.h"

#include <compare>
#include <cstdint>

namespace issuer::vault::renewal {

using namespace std::chrono_literals;

/// The figures of the renewal rules, as data. The first five are the configuration's; the others are the rules' own.
struct Policy
{
	/// Fine enough for a rule, and half the size: there may be ten thousand keepers.
	using Figure = std::chrono::duration<std::int32_t, std::milli>;

	double fraction = 0.5;         ///< renew when this share of a lease is spent
	double jitter = 0.1;           ///< up to this share of the interval early, never late
	Duration minInterval = 1s;     ///< between two renewals that succeed
	Duration requestTimeout = 30s; ///< longest life of one attempt
	Duration increment{};          ///< asked for at each renewal; 0: what the server has set

	float latestShare = 2.0F / 3; ///< of a lease: min_interval never pushes a renewal beyond it

	/// No two requests of one issuer start closer than a gap, ever: a lease's 16th, held within these limits.
	float gapsPerLease = 16;
	Figure shortestGap = 100ms;
	Figure longestGap = 500ms;

	/// The last planned attempt starts this long before the end: so many latencies, but no more than this share of a
	/// lease and this long, since from there on the gap alone spaces the attempts.
	float latenciesPerGuard = 4;
	float guardsPerLease = 8;
	Figure longestGuard = 5s;

	/// After a failure that may pass: doubling, no longer than a share of what remains.
	Figure firstPause = 1s;
	Figure longestPause = 60s;
	float pausesPerLife = 4;
	float pauseJitter = 0.25F;

	/// What one attempt may take, as a share of the life that remains.
	float attemptsPerLife = 4;
	Figure firstBudget = 5s; ///< before any answer has told what remains

	std::uint32_t uselessLookUps = 2;  ///< after so many in a row that told nothing, a renewal is asked
	std::uint32_t refusalsDoubted = 3; ///< of a new token; it is asked again 1, 2 and 4 s later

	Figure firstRefusedPause = 60s; ///< after a refusal, doubling: what says the same as death may heal
	float refusalsPerOutage = 16;   ///< but never a shorter part of all the time that renewals have failed
	Figure confirmAbove = 120s;     ///< at the max TTL: ask on, ever more rarely, while more than this remains
	Figure firstProbe = 300s;       ///< of a dead token, doubling
	Figure longestProbe = 3600s;

	/// A token that lives is asked about this often at least, up to this share earlier: so soon a revocation is known.
	Figure longestSilence = 6h;
	float silenceSpread = 0.1F;
	/// A server that names more talks nonsense.
	Duration longestLease = std::chrono::years(10);

	/// Between the first moment at which a token may end and the last one, every gap, but no more often than this.
	int looksAtEnd = 64;

	/// A token that is found past its half life is renewed at once, spread so that a fleet does not start as one.
	Figure longestSpread = 5s;
	float spreadsPerLife = 10;

	float ratchetBelow = 0.9F;   ///< a grant below this share of a full lease: somebody renewed with less
	float announceBeyond = 0.1F; ///< a lease or forecast that moved by less is no news
	Figure forecastSlack = 1s;   ///< servers cut both ends of a max TTL to whole seconds

	int notesAtOnce = 8;     ///< to the log, and
	int deathsAtOnce = 4;    ///< more of the worst; after these
	Figure notePause = 600s; ///< one each

	friend auto operator<=>(const Policy&, const Policy&) = default;
};

} // namespace issuer::vault::renewal
