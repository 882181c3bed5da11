#pragma once

#include "renewal/keeper.h"
#include "world.h"

#include <optional>

namespace issuer::simulation {

/// Whoever keeps a token alive, as the stage drives it: the keeper, or a model of another renewer.
class Renewer
{
public:
	virtual ~Renewer() = default;

	virtual vault::renewal::Reports begin(Moment now) = 0;
	[[nodiscard]] virtual std::optional<Instant> next() const = 0;
	[[nodiscard]] virtual vault::renewal::Attempt attempt(Moment now) = 0;
	virtual vault::renewal::Reports answered(Moment sent, Moment now, const vault::renewal::Answer& answer) = 0;
	virtual vault::renewal::Reports stopped(Moment now) = 0;

	virtual vault::renewal::Reports candidateFound(Moment now) = 0;
	virtual vault::renewal::Reports credentialUnreadable(Moment, bool /*haveToken*/) { return {}; }
	virtual void renewNow(Moment) {}

	[[nodiscard]] virtual vault::renewal::Snapshot snapshot() const = 0;

	/// It has told its owner that the token's life ends, and when it did: what remains is time to act in.
	[[nodiscard]] virtual std::optional<Instant> warnedOfEnd() const = 0;
	/// It has handed the token back as used up, while it may still be alive.
	[[nodiscard]] virtual std::optional<Instant> gaveUp() const { return {}; }
};

} // namespace issuer::simulation
