#pragma once

#include "renewer.h"

namespace issuer::simulation {

/// The keeper itself.
class KeeperRenewer final : public Renewer
{
public:
	KeeperRenewer(const vault::renewal::Policy& policy, std::uint64_t seed)
		: _policy(policy), _seed(seed), _keeper(std::in_place, policy, seed)
	{
	}

	vault::renewal::Reports begin(Moment now) override;
	[[nodiscard]] std::optional<Instant> next() const override { return _keeper->next(); }
	[[nodiscard]] vault::renewal::Attempt attempt(Moment now) override { return _keeper->attempt(now); }
	vault::renewal::Reports answered(Moment sent, Moment now, const vault::renewal::Answer& answer) override;
	vault::renewal::Reports stopped(Moment now) override { return _keeper->stopped(now); }
	void interrupted(Moment now) override { _keeper->replan(now); }
	vault::renewal::Reports candidateFound(Moment now) override;
	vault::renewal::Reports candidateGone(Moment now) override { return _keeper->candidateGone(now); }
	[[nodiscard]] bool hasCandidate() const override { return _keeper->hasCandidate(); }
	vault::renewal::Reports credentialUnreadable(Moment now, bool haveToken) override;
	vault::renewal::Reports resume(Moment now) override;
	void renewNow(Moment now) override { _keeper->renewNow(now); }
	[[nodiscard]] std::unique_ptr<Router> router(const Topology& topology) const override;
	[[nodiscard]] Duration slotWait(Instant due) const override;
	[[nodiscard]] vault::renewal::Snapshot snapshot() const override { return _keeper->snapshot(); }
	[[nodiscard]] std::optional<Instant> warnedOfEnd() const override { return _warned; }

private:
	vault::renewal::Policy _policy;
	std::uint64_t _seed;
	std::optional<vault::renewal::Keeper> _keeper;
	std::optional<Instant> _warned;
};

} // namespace issuer::simulation
