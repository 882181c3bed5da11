#pragma once

#include "login_actor.h"

#include "renewal/keeper.h"
#include "renewal/login_budget.h"
#include "renewal/login_keeper.h"

#include <memory>
#include <vector>

namespace issuer::simulation {

/// The Keeper and the LoginKeeper as they ship, put together as an issuer does, with the budget that all share.
class LoginPair final : public LoginActor
{
public:
	LoginPair(const LoginWorld& world, unsigned issuer, vault::renewal::LoginBudget& budget, LoginDiary& diary);

	void begin(Moment now) override;
	void materialFound(Moment now, const vault::renewal::LoginMaterial& material) override;
	[[nodiscard]] std::optional<Instant> next() const override;
	[[nodiscard]] std::optional<LoginRequest> request(Moment now) override;
	void answered(Moment sent, Moment now, const LoginRequest& request, const LoginReply& reply) override;
	std::optional<std::size_t> handOver(Moment now, vault::renewal::LoginBudget& budget) override;
	std::vector<std::size_t> restart(Moment now, vault::renewal::LoginBudget& budget, bool sink) override;

private:
	void renewalAnswered(Moment sent, Moment now, const LoginReply& reply);
	void loginAnswered(Moment sent, Moment now, const LoginReply& reply);
	void tell(Moment now, const vault::renewal::Reports& reports);
	/// Hands each keeper what it must know of the other.
	void settle(Moment now);
	[[nodiscard]] std::optional<LoginRequest> logIn(Moment now);

	unsigned _issuer;
	const LoginWorld& _world;
	vault::renewal::LoginBudget* _budget;
	LoginDiary& _diary;
	vault::renewal::Keeper _keeper;
	vault::renewal::LoginKeeper _login;
	bool _renewing = false;
	bool _loggingIn = false;
	bool _counted = false;       ///< the login under way has a leave of the budget's
	bool _empty = false;         ///< likewise: an empty one
	std::uint64_t _identity = 0; ///< of the login under way
	std::uint64_t _material = 0; ///< likewise
	bool _hasToken = false;      ///< one is in use, or was
	std::size_t _inUse = 0;
	std::size_t _fresh = 0;
	std::size_t _rejected = 0;
	std::size_t _replaced = 0;
};

} // namespace issuer::simulation
