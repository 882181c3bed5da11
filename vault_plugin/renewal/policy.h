#pragma once

#include "base/time.h"

#include <compare>
#include <cstdint>

namespace issuer::vault::renewal {

using namespace std::chrono_literals;

/// The parameters of the renewal rules, as data. The first five come from the configuration; the others are fixed.
struct Policy
{
	/// A resolution that is fine enough for a rule, at half the size: there may be ten thousand keepers.
	using Figure = std::chrono::duration<std::int32_t, std::milli>;

	double fraction = 0.5;         ///< renew when this share of a lease is spent
	double jitter = 0.1;           ///< up to this share of the interval early, never late
	Duration minInterval = 1s;     ///< between two renewals that succeed
	Duration requestTimeout = 30s; ///< longest life of one attempt
	Duration increment{};          ///< lease to ask for at each renewal; 0: the server's default

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

	/// Pauses after a failure that may pass: doubling, and no longer than a share of the remaining life.
	Figure firstPause = 1s;
	Figure longestPause = 60s;
	float pausesPerLife = 4;
	float pauseJitter = 0.25F;

	/// Share of the remaining life that one attempt may take: 1/attemptsPerLife.
	float attemptsPerLife = 4;
	Figure firstBudget = 5s; ///< limit of an attempt before the first answer

	/// Number of look-ups in a row without information, after which a renewal is sent.
	std::uint32_t uselessLookUps = 2;
	/// Afterwards, while the end is unknown, only one of so many requests is a look-up.
	std::uint32_t renewalsPerLookUp = 8;
	/// Number of refusals of a new token that are not believed; it is asked about again 1, 2 and 4 s later.
	std::uint32_t refusalsDoubted = 3;

	Figure firstRefusedPause = 60s; ///< after a refusal, doubling: other causes than death say the same, and may heal
	float refusalsPerOutage = 16;   ///< but never shorter than this part of the time for which renewals have failed
	/// At the max TTL: further requests, ever more rarely, while more than this remains.
	Figure confirmAbove = 120s;
	Figure firstProbe = 300s; ///< of a dead token, doubling
	Figure longestProbe = 3600s;

	/// A living token is asked about at least this often, up to this share earlier, so that a revocation is noticed.
	Figure longestSilence = 6h;
	float silenceSpread = 0.1F;
	/// A server that names a longer lease is not believed.
	Duration longestLease = std::chrono::years(10);

	/// Between the first moment at which a token may end and the last one, every gap, but no more often than this.
	int looksAtEnd = 64;

	/// A token that is found past its half life is renewed at once, spread so that a fleet does not start as one.
	Figure longestSpread = 5s;
	float spreadsPerLife = 10;

	float ratchetBelow = 0.9F;   ///< a grant below this share of a full lease: another client renewed with less
	float announceBeyond = 0.1F; ///< a lease or forecast that moved by less is not reported
	Figure forecastSlack = 1s;   ///< servers cut both ends of a max TTL to whole seconds

	int notesAtOnce = 8;     ///< lines that the log takes at once
	int deathsAtOnce = 4;    ///< further lines at once for deaths
	Figure notePause = 600s; ///< between two lines after those

	friend auto operator<=>(const Policy&, const Policy&) = default;
};

} // namespace issuer::vault::renewal
