#pragma once

#include "virtual_vault.h"
#include "world.h"

#include <optional>

namespace issuer::simulation {

/// One token that the renewer holds: the truth about it, and the renewer's knowledge of it.
struct HeldToken
{
	HeldToken(const TokenPlan& plan, Instant now, int number) : vault(plan, now), life(number), askedSince(now) {}

	VirtualVault vault;
	int life;             ///< its number among all tokens and all begins of this world
	Instant acceptedFrom; ///< the server refuses it before; Instant::max(): for ever

	bool undisturbed = true; ///< no rival renewed it, and its max TTL was not changed
	bool shortened = false;  ///< a rival made its life shorter, and the renewer has not renewed it since
	Instant shortenedAt;
	bool wallMoved = false;            ///< its max TTL was changed
	std::optional<Instant> wallRaised; ///< the latest time
	bool last = false;                 ///< a renewal said that the server will grant no other
	bool deathNoted = false;

	Instant watchedSince = Instant::max(); ///< an answer has told when it ends
	Instant askedSince;                    ///< the renewer has it
	Duration toldLease{};
	bool wrapped = false;   ///< the latest grant did not say for how long
	Duration uncertainty{}; ///< duration of the slowest exchange that told its end
	Instant toldSince;      ///< when toldEnd was told first
	Instant toldEnd;        ///< when it ends, if no renewal has reached the server since the latest answer
	Instant hopedEnd;       ///< when it ends, counting the renewals that the renewer sent before toldEnd

	[[nodiscard]] bool accepted(Instant now) const { return acceptedFrom <= now; }

	/// The renewer begins anew: it knows nothing of this token.
	void forget(Instant now)
	{
		watchedSince = Instant::max();
		askedSince = now;
		toldLease = {};
		wrapped = false;
		uncertainty = {};
		last = false;
	}
};

} // namespace issuer::simulation
