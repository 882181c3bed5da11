#pragma once

#include "login_actor.h"

namespace issuer::simulation {

/// The rules of OpenBao's and Vault's agent, in our own words: renews after two thirds of a lease, ends where a grant
/// leaves less than its grace or a renewal is refused, then logs in; each error of a login alike is tried again after
/// 1 s, doubling to 5 min, for ever. A new token is in use at once.
class LoginAgent final : public LoginActor
{
public:
	LoginAgent(const LoginWorld& world, unsigned issuer, LoginDiary& diary)
		: _issuer(issuer), _diary(diary), _dice(world.seed + issuer)
	{
	}

	void begin(Moment now) override { _next = now.boot; }
	/// The file is read before each login; a change alone does nothing.
	void materialFound(Moment, const vault::renewal::LoginMaterial&) override {}
	[[nodiscard]] std::optional<Instant> next() const override { return _asking ? std::nullopt : _next; }
	[[nodiscard]] std::optional<LoginRequest> request(Moment now) override;
	/// Does nothing: there is nothing to swap in an agent.
	std::optional<std::size_t> handOver(Moment, vault::renewal::LoginBudget&) override { return std::nullopt; }
	/// Does nothing: the worlds of an agent restart no process.
	std::vector<std::size_t> restart(Moment, vault::renewal::LoginBudget&, bool) override { return {}; }
	void answered(Moment sent, Moment now, const LoginRequest& request, const LoginReply& reply) override;

private:
	void watch(Instant now, Duration lease);

	unsigned _issuer;
	LoginDiary& _diary;
	Dice _dice;
	std::optional<Instant> _next;
	bool _asking = false;
	bool _watching = false;
	std::size_t _inUse = 0;
	Instant _end;
	Duration _lease{};
	Duration _grace{};
	Duration _pause = std::chrono::seconds(1);
};

} // namespace issuer::simulation
