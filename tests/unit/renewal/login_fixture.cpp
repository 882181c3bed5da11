#include "login_fixture.h"

#include <utility>

namespace issuer::vault::renewal::test {

LoginPolicy calm(LoginMethod method)
{
	LoginPolicy policy;
	policy.method = method;
	policy.overlapSpread = 0;
	policy.deniedSpread = Duration::zero();
	return policy;
}

LoginMaterial material(std::uint64_t mark, std::uint64_t identity)
{
	LoginMaterial material;
	material.usable = true;
	material.mark = mark;
	material.identityMark = identity;
	return material;
}

LoggedIn loggedIn(Duration lease)
{
	LoggedIn facts;
	facts.lease = lease;
	return facts;
}

LoginTrouble refused(LoginTrouble::Kind kind, Reason reason)
{
	return {kind, reason, std::nullopt, "the server said no", false};
}

LoginTrouble lostAnswer()
{
	return {LoginTrouble::Kind::passes, Reason::timeout, std::nullopt, "no answer within 30 s", false};
}

LoginTrouble notSent()
{
	return {LoginTrouble::Kind::passes, Reason::network, std::nullopt, "connection refused", true};
}

TokenLife living(Moment now, Duration rest, Duration lease)
{
	TokenLife life;
	life.standing = TokenLife::Standing::living;
	life.state = State::active;
	life.accepted = true;
	life.expiry = now.boot + rest;
	life.lease = lease;
	return life;
}

TokenLife fallen(TokenLife::Standing standing, Moment now, Duration rest)
{
	auto life = living(now, rest, 1h);
	life.standing = standing;
	life.state = standing == TokenLife::Standing::ended ? State::expired : State::denied;
	return life;
}

LoginFixture::LoginFixture(const LoginPolicy& policy, std::uint64_t seed)
	: keeper(policy, seed), now{Instant(1000h), WallTime(std::chrono::seconds(1'798'106'400))}, _sent(now)
{
}

LoginFixture& LoginFixture::begin(const LoginMaterial& found)
{
	hear(keeper.begin(now));
	return find(found);
}

LoginFixture& LoginFixture::beginLoggedIn(Duration lease, const LoginMaterial& found)
{
	return begin(found).meet(loggedIn(lease)).prove().forget();
}

LoginFixture& LoginFixture::wait(Duration length)
{
	now = {now.boot + length, now.wall + length};
	return *this;
}

LoginAttempt LoginFixture::take()
{
	wait(pause().value_or(Duration::zero()));
	_sent = now;
	return keeper.attempt(now);
}

LoginFixture& LoginFixture::answer(const LoginAnswer& answer, Duration latency)
{
	wait(latency);
	return hear(keeper.answered(_sent, now, answer));
}

LoginFixture& LoginFixture::meet(const LoginAnswer& answered, Duration latency)
{
	static_cast<void>(take());
	return answer(answered, latency);
}

LoginFixture& LoginFixture::prove()
{
	const auto lease = keeper.memory().fresh->facts.lease;
	const auto sent = keeper.memory().fresh->sent;
	hear(keeper.adopted(now));
	return follow(living(now, lease - (now.boot - sent), lease));
}

LoginFixture& LoginFixture::find(const LoginMaterial& found)
{
	return hear(keeper.materialFound(now, found));
}

LoginFixture& LoginFixture::follow(const TokenLife& life)
{
	return hear(keeper.follow(now, life));
}

LoginFixture& LoginFixture::hear(Reports reports)
{
	add(std::move(reports));
	return *this;
}

LoginFixture& LoginFixture::forget()
{
	clear();
	return *this;
}

std::optional<Duration> LoginFixture::pause() const
{
	const auto next = keeper.next();
	return next ? std::optional(std::max(*next - now.boot, Duration::zero())) : std::nullopt;
}

std::vector<Reason> LoginFixture::reasons() const
{
	std::vector<Reason> reasons;
	for (const auto& event : events) {
		reasons.push_back(event.reason);
	}
	return reasons;
}

} // namespace issuer::vault::renewal::test
