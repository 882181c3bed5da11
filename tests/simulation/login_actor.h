#pragma once

#include "login_world.h"

#include "renewal/facts.h"
#include "renewal/login_budget.h"
#include "renewal/login_facts.h"
#include "renewal/report.h"

#include <optional>
#include <variant>
#include <vector>

namespace issuer::simulation {

/// A request of an issuer's: a renewal's or a login's, each in a lane of its own.
struct LoginRequest
{
	bool login = false; ///< the lane
	vault::renewal::Operation renewal = vault::renewal::Operation::lookUp;
	vault::renewal::LoginOperation operation = vault::renewal::LoginOperation::logIn;
	bool empty = false;    ///< a login without material
	std::size_t token = 0; ///< with which, or about which
	Duration budget{};
};

/// Its result. A token comes with a login that was answered.
struct LoginReply
{
	std::variant<vault::renewal::Answer, vault::renewal::LoginAnswer> answer;
	std::optional<std::size_t> token;
};

/// An actor's deeds, which the judges read.
struct LoginDiary
{
	struct Use
	{
		unsigned issuer = 0;
		Instant at;
		std::size_t token = 0;
		bool proven = false; ///< when it was taken into use
	};
	struct Told
	{
		unsigned issuer = 0;
		Instant at;
		vault::renewal::Event event;
	};

	std::vector<Use> uses;
	std::vector<Told> told;           ///< of logins only
	std::vector<std::size_t> givenUp; ///< tokens of logins that were not taken into use
	std::vector<Instant> heldBack;    ///< by the budget, for refusals
};

/// One issuer with its rules: how it renews, and when it logs in.
class LoginActor
{
public:
	virtual ~LoginActor() = default;
	virtual void begin(Moment now) = 0;
	virtual void materialFound(Moment now, const vault::renewal::LoginMaterial& material) = 0;
	[[nodiscard]] virtual std::optional<Instant> next() const = 0;
	/// Returns a request to send now; nothing: there is none, or none any more.
	[[nodiscard]] virtual std::optional<LoginRequest> request(Moment now) = 0;
	virtual void answered(Moment sent, Moment now, const LoginRequest& request, const LoginReply& reply) = 0;
	/// Continues as a successor in another library, whose logins share `budget`: requests under way are given up, and
	/// the material is read anew. Returns a token to revoke, of a login that waits for its proof.
	virtual std::optional<std::size_t> handOver(Moment now, vault::renewal::LoginBudget& budget) = 0;
	/// Starts anew as another process does, which finds the token in use in the sink or knows nothing. Returns the
	/// tokens of which nothing is known any more.
	virtual std::vector<std::size_t> restart(Moment now, vault::renewal::LoginBudget& budget, bool sink) = 0;
};

} // namespace issuer::simulation
