#include "login_world.h"

#include <algorithm>
#include <cmath>
#include <ostream>

namespace issuer::simulation {

using namespace std::chrono_literals;

std::uint64_t Dice::bits()
{
	_state += 0x9e3779b97f4a7c15U;
	auto bits = _state;
	bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9U;
	bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebU;
	return bits ^ (bits >> 31U);
}

Duration Dice::length(Duration from, Duration to)
{
	const auto low = std::log(static_cast<double>(from.count()));
	const auto high = std::log(static_cast<double>(to.count()));
	return Duration(std::llround(std::exp(low + (high - low) * share())));
}

std::string_view nameOf(Mishap mishap)
{
	switch (mishap) {
	case Mishap::unreachable:
		return "unreachable";
	case Mishap::hangs:
		return "hangs";
	case Mishap::losesAnswers:
		return "loses answers";
	case Mishap::sealed:
		return "sealed";
	case Mishap::reviewDown:
		return "TokenReview down";
	case Mishap::misconfigured:
		return "misconfigured";
	case Mishap::wrongMaterial:
		return "wrong material";
	case Mishap::destroyed:
		return "material destroyed";
	case Mishap::denied:
		return "renewals denied";
	case Mishap::revoked:
		return "revoked";
	case Mishap::wallMoves:
		return "max TTL moves";
	case Mishap::swapped:
		return "swapped";
	case Mishap::restarted:
		return "restarted";
	case Mishap::foreignWrap:
		return "a secret wrapped by another client";
	}
	return "?";
}

bool LoginWorld::countsRefusals() const
{
	return method == LoginMethod::appRole || method == LoginMethod::userpass || method == LoginMethod::ldap;
}

bool LoginWorld::happens(Mishap mishap) const
{
	return std::ranges::any_of(misfortunes, [&](const Misfortune& one) { return one.mishap == mishap; });
}

bool LoginWorld::isFreeOf(std::initializer_list<Mishap> mishaps, Instant from, Instant until) const
{
	return std::ranges::none_of(misfortunes, [&](const Misfortune& one) {
		return std::ranges::find(mishaps, one.mishap) != mishaps.end() && one.from < until && from < one.until;
	});
}

bool LoginWorld::isDuring(Mishap mishap, Instant instant) const
{
	return !isFreeOf({mishap}, instant, instant + 1us);
}

Duration LoginWorld::life() const
{
	const auto wall = maxTtl > Duration::zero() ? maxTtl : horizon;
	return batch ? std::min(lease, wall) : wall;
}

namespace {

/// Adds wrapped material, a sink and a restart to some worlds. A restart forgets refusals (docs/logins.md says what
/// that costs), so it comes where no material is refused.
void addIntake(LoginWorld& world, Dice& dice)
{
	const auto anyTime = [&] {
		return worldBegins +
			   Duration(static_cast<std::int64_t>(dice.share() * static_cast<double>(world.horizon.count())));
	};
	if (world.issuers == 1 && world.method == LoginMethod::appRole && dice.chance(0.2)) {
		world.wrapped = true;
		if (dice.chance(0.25)) {
			world.method = LoginMethod::wrappedToken;
			world.batch = world.noPolicy = world.otherAddress = world.endKnown = false;
			world.uses = 0;
		}
		if (dice.chance(0.5)) {
			world.rotation = dice.length(world.horizon / 8, world.horizon);
		}
		if (dice.chance(0.2)) {
			const auto from = anyTime();
			world.misfortunes.push_back({Mishap::foreignWrap, from, from + dice.length(1s, world.horizon / 4), true});
		}
	}
	const bool isRefused = world.happens(Mishap::wrongMaterial) || world.happens(Mishap::destroyed) ||
						   world.materialLife > 0s || world.uses > 0;
	if (!isRefused && dice.chance(0.15)) {
		world.sink = dice.chance(0.6);
		const auto at = anyTime();
		world.misfortunes.push_back({Mishap::restarted, at, at, true});
	}
}

} // namespace

LoginWorld loginWorldOf(std::uint64_t seed)
{
	Dice dice(seed);
	LoginWorld world;
	world.seed = seed;
	constexpr LoginMethod methods[] = {LoginMethod::appRole, LoginMethod::appRole, LoginMethod::appRole,
		LoginMethod::kubernetes, LoginMethod::jwt, LoginMethod::certificate, LoginMethod::userpass, LoginMethod::ldap};
	world.method = methods[dice.below(std::size(methods))];
	const bool crowd = world.countsRefusals() && dice.chance(0.06);
	world.issuers = crowd ? 2 + static_cast<unsigned>(dice.below(dice.chance(0.2) ? 99 : 12)) : 1;
	world.ownMaterial = crowd && dice.chance(0.5);
	world.lease = std::chrono::ceil<std::chrono::seconds>(crowd ? dice.length(10min, 4h) : dice.length(10s, 6h));
	world.maxTtl = dice.chance(0.15) ? 0s
				   : dice.chance(0.1)
					   ? Duration(world.lease)
					   : std::chrono::ceil<std::chrono::seconds>(dice.length(world.lease, 12 * world.lease));
	world.wallShown = dice.chance(0.3);
	world.batch = dice.chance(0.08);
	world.noPolicy = !world.batch && dice.chance(0.04);
	world.otherAddress = dice.chance(0.02);
	world.latency = dice.length(1ms, std::min<Duration>(world.lease / 40, 3s));
	const auto life = world.maxTtl > 0s ? std::min<Duration>(world.maxTtl, 8 * world.lease) : 4 * world.lease;
	world.horizon = std::max<Duration>(life * 7 / 2, 2min);
	const bool ends = dice.chance(0.3);
	if (ends) {
		world.materialLife = dice.length(world.lease, 3 * world.horizon);
		world.endKnown = dice.chance(0.5);
		world.rotation = dice.chance(0.5) ? dice.length(world.materialLife / 6, world.materialLife) : 0s;
	}
	else if (world.method == LoginMethod::certificate && dice.chance(0.5)) {
		world.rotation = dice.length(world.horizon / 4, world.horizon);
	}
	if (world.method == LoginMethod::appRole && dice.chance(0.25)) {
		world.uses = 1 + static_cast<std::int64_t>(dice.below(4));
		world.endKnown = dice.chance(0.5);
	}
	const auto count = dice.below(crowd ? 5 : 4);
	for (std::uint64_t index = 0; index < count; ++index) {
		Misfortune one;
		one.mishap = static_cast<Mishap>(dice.below(static_cast<std::uint64_t>(Mishap::wallMoves) + 1));
		if (one.mishap == Mishap::reviewDown && world.method != LoginMethod::kubernetes) {
			one.mishap = crowd ? Mishap::wrongMaterial : Mishap::losesAnswers;
		}
		const auto begin =
			dice.chance(0.2)
				? 0s
				: Duration(static_cast<std::int64_t>(dice.share() * static_cast<double>(world.horizon.count())));
		one.from = worldBegins + begin;
		const auto length = dice.length(1s, std::max<Duration>(world.horizon / 2, 10s));
		one.until = one.from + length;
		one.all = dice.chance(0.5);
		world.misfortunes.push_back(one);
	}
	Dice later(~seed); // so that the worlds that were there before stay as they were
	if (later.chance(world.issuers > 1 ? 0.3 : 0.1)) {
		// Soon after another mishap began, in the midst of what follows from it, or at any time.
		const bool amid = !world.misfortunes.empty() && later.chance(0.7);
		const auto at = amid ? world.misfortunes[later.below(world.misfortunes.size())].from + later.length(1ms, 2min)
							 : worldBegins + later.length(1ms, world.horizon);
		world.misfortunes.push_back({Mishap::swapped, at, at, true});
	}
	addIntake(world, later);
	// Time to come back in: a refusal of the material is asked again after up to 4 h.
	const bool long_ = count > 0 && world.lease >= 5min && dice.chance(0.5);
	world.horizon += long_ ? Duration(5h) : std::min<Duration>(world.horizon, 10min);
	return world;
}

std::ostream& operator<<(std::ostream& out, const LoginWorld& world)
{
	const auto in = [](Duration length) { return std::chrono::duration<double>(length).count(); };
	constexpr const char* methods[] = {"AppRole", "Kubernetes", "JWT", "certificate", "userpass", "LDAP", "wrapped"};
	out << "world " << world.seed << ": " << methods[static_cast<int>(world.method)] << ", " << world.issuers
		<< (world.ownMaterial ? " issuers with their own material" : " issuer(s)") << "; lease " << in(world.lease)
		<< " s, max TTL " << in(world.maxTtl) << " s" << (world.wallShown ? " (shown)" : "")
		<< (world.batch ? ", batch" : "") << (world.noPolicy ? ", no policy" : "")
		<< (world.otherAddress ? ", tokens for another address" : "") << "; latency " << in(world.latency)
		<< " s; horizon " << in(world.horizon) << " s; material ends after " << in(world.materialLife)
		<< (world.endKnown ? " s (visible)" : " s") << ", uses " << world.uses << ", rotation " << in(world.rotation)
		<< " s" << (world.wrapped ? ", wrapped" : "") << (world.sink ? ", sink" : "");
	for (const auto& one : world.misfortunes) {
		out << "\n  " << nameOf(one.mishap) << " from " << in(one.from - worldBegins) << " s to "
			<< in(one.until - worldBegins) << " s" << (one.all ? "" : " (first issuer)");
	}
	return out;
}

} // namespace issuer::simulation
