#pragma once

#include "heard_reports.h"

#include "renewal/login_keeper.h"

#include <optional>
#include <string>
#include <vector>

namespace issuer::vault::renewal::test {

using namespace std::chrono_literals;

/// The rules of AppRole without chance: times can be written down.
[[nodiscard]] LoginPolicy calm(LoginMethod method = LoginMethod::appRole);

/// Returns material that can be used.
[[nodiscard]] LoginMaterial material(std::uint64_t mark = 1, std::uint64_t identity = 1);
[[nodiscard]] LoggedIn loggedIn(Duration lease);
[[nodiscard]] LoginTrouble refused(LoginTrouble::Kind kind, Reason reason = Reason::refused);
[[nodiscard]] LoginTrouble lostAnswer();
[[nodiscard]] LoginTrouble notSent();

/// Returns the life of a token with `rest` left of `lease`.
[[nodiscard]] TokenLife living(Moment now, Duration rest, Duration lease);
[[nodiscard]] TokenLife fallen(TokenLife::Standing standing, Moment now, Duration rest = Duration::zero());

/// A keeper of logins, and the time and the server around it. Begins on 2026-12-24 at 10:00 UTC.
class LoginFixture : public HeardReports
{
public:
	explicit LoginFixture(const LoginPolicy& policy = calm(), std::uint64_t seed = 1);

	LoginKeeper keeper;
	Moment now;

	/// Begins without a token, with usable material.
	LoginFixture& begin(const LoginMaterial& found = material());
	/// Begins, and has a login proven whose token has this lease.
	LoginFixture& beginLoggedIn(Duration lease, const LoginMaterial& found = material());

	LoginFixture& wait(Duration length);
	/// Goes to the planned time, and takes the attempt.
	LoginAttempt take();
	LoginFixture& answer(const LoginAnswer& answer, Duration latency = 10ms);
	LoginFixture& meet(const LoginAnswer& answer, Duration latency = 10ms);
	/// Has the fresh token adopted, and follows its life.
	LoginFixture& prove();
	LoginFixture& find(const LoginMaterial& found);
	LoginFixture& follow(const TokenLife& life);
	LoginFixture& hear(Reports reports);
	LoginFixture& forget();

	/// Until the next request; nothing: none is planned.
	[[nodiscard]] std::optional<Duration> pause() const;
	[[nodiscard]] std::vector<Reason> reasons() const; ///< of the events

private:
	Moment _sent;
};

} // namespace issuer::vault::renewal::test
