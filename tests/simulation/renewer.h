#pragma once

#include "renewal/keeper.h"
#include "router.h"
#include "world.h"

#include <memory>
#include <optional>

namespace issuer::simulation {

/// A program that keeps a token alive, as the world player drives it: the keeper, or a model of another renewer.
class Renewer
{
public:
	virtual ~Renewer() = default;

	virtual vault::renewal::Reports begin(Moment now) = 0;
	[[nodiscard]] virtual std::optional<Instant> next() const = 0;
	[[nodiscard]] virtual vault::renewal::Attempt attempt(Moment now) = 0;
	virtual vault::renewal::Reports answered(Moment sent, Moment now, const vault::renewal::Answer& answer) = 0;
	virtual vault::renewal::Reports stopped(Moment now) = 0;

	/// The owner's run ended between attempt() and answered(): no answer will come.
	virtual void interrupted(Moment now) = 0;

	/// The source gives another token. A renewer that does not have a candidate afterwards has adopted it.
	virtual vault::renewal::Reports candidateFound(Moment now) = 0;
	/// The source gives the token in use again.
	virtual vault::renewal::Reports candidateGone(Moment) { return {}; }
	[[nodiscard]] virtual bool hasCandidate() const { return false; }
	virtual vault::renewal::Reports credentialUnreadable(Moment, bool /*haveToken*/) { return {}; }
	virtual void renewNow(Moment) {}

	/// Another renewer of this kind resumes from the memory of this one, which has been stopped.
	virtual vault::renewal::Reports resume(Moment now) { return begin(now); }

	[[nodiscard]] virtual vault::renewal::Snapshot snapshot() const = 0;

	/// The client that it sends its requests with.
	[[nodiscard]] virtual std::unique_ptr<Router> router(const Topology& topology) const = 0;
	/// Time for which a request that is due now waits for a slot while neighbours hold all of them.
	[[nodiscard]] virtual Duration slotWait(Instant) const { return {}; }

	/// Returns when it has told its owner that the token's life ends: the rest of the life is time to act in.
	[[nodiscard]] virtual std::optional<Instant> warnedOfEnd() const = 0;
	/// It has handed the token back as used up, while it may still be alive.
	[[nodiscard]] virtual std::optional<Instant> gaveUp() const { return {}; }
};

} // namespace issuer::simulation
