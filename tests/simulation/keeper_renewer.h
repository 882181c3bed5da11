#pragma once

#include "renewer.h"

namespace issuer::simulation {

/// The keeper itself.
class KeeperRenewer final : public Renewer
{
public:
	KeeperRenewer(const vault::renewal::Policy& policy, std::uint64_t seed) : _keeper(policy, seed) {}

	vault::renewal::Reports begin(Moment now) override;
	[[nodiscard]] std::optional<Instant> next() const override { return _keeper.next(); }
	[[nodiscard]] vault::renewal::Attempt attempt(Moment now) override { return _keeper.attempt(now); }
	vault::renewal::Reports answered(Moment sent, Moment now, const vault::renewal::Answer& answer) override;
	vault::renewal::Reports stopped(Moment now) override { return _keeper.stopped(now); }
	vault::renewal::Reports candidateFound(Moment now) override;
	vault::renewal::Reports credentialUnreadable(Moment now, bool haveToken) override;
	void renewNow(Moment now) override { _keeper.renewNow(now); }
	[[nodiscard]] vault::renewal::Snapshot snapshot() const override { return _keeper.snapshot(); }
	[[nodiscard]] std::optional<Instant> warnedOfEnd() const override { return _warned; }

private:
	vault::renewal::Keeper _keeper;
	std::optional<Instant> _warned;
};

} // namespace issuer::simulation
