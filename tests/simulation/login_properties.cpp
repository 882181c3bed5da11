#include "login_properties.h"

#include <algorithm>
#include <array>
#include <map>

/// The promises of docs/logins.md, judged by the events that a server and an operator see, never by the state of the
/// keepers.
namespace issuer::simulation {
namespace {

using namespace std::chrono_literals;
using vault::renewal::LoginTrouble;
using vault::renewal::Outcome;
using vault::renewal::Reason;
using Broken = std::optional<std::string>;

std::string at(Instant instant)
{
	return " at " + std::to_string(std::chrono::duration<double>(instant - worldBegins).count()) + " s";
}

constexpr auto allOfNetwork = {Mishap::unreachable, Mishap::hangs, Mishap::losesAnswers, Mishap::sealed};
constexpr auto allOfMaterial = {Mishap::reviewDown, Mishap::misconfigured, Mishap::wrongMaterial, Mishap::destroyed};

/// Returns whether the material of this world cannot end or be used up.
bool lasts(const LoginWorld& world)
{
	return world.materialLife == 0s && world.uses == 0;
}

/// Returns whether a secret may have been unwrapped in vain, or is a token itself: then a person brings the next one.
bool needsAPerson(const LoginWorld& world)
{
	const auto spends = {Mishap::losesAnswers, Mishap::hangs, Mishap::swapped, Mishap::restarted, Mishap::foreignWrap};
	return world.wrapped && (world.method == vault::renewal::LoginMethod::wrappedToken ||
								std::ranges::any_of(spends, [&](Mishap one) { return world.happens(one); }));
}

Broken noGapInVain(const LoginWorld& world, const LoginChronicle& chronicle)
{
	for (const auto& gap : chronicle.gaps) {
		if (inVain(world, chronicle, gap)) {
			return "issuer " + std::to_string(gap.issuer) + " had no token" + at(gap.from);
		}
	}
	return {};
}

Broken nobodyLockedOut(const LoginWorld&, const LoginChronicle& chronicle)
{
	return chronicle.lockouts > 0
			   ? Broken("the identity was locked out " + std::to_string(chronicle.lockouts) + " times")
			   : Broken();
}

Broken noStorm(const LoginWorld& world, const LoginChronicle& chronicle)
{
	if (chronicle.mostInFlight > 4) {
		return std::to_string(chronicle.mostInFlight) + " logins of one identity at once";
	}
	const auto lease = world.maxTtl > 0s ? std::min<Duration>(world.lease, world.maxTtl) : world.lease;
	// An outage's pace is a minute or a quarter of the rest; each life adds its own tries.
	const auto inAnHour = 90 + static_cast<std::size_t>(12 * Duration(1h) / lease);
	std::map<unsigned, std::vector<Instant>> sent;
	for (const auto& login : chronicle.logins) {
		auto& times = sent[login.issuer];
		const bool isAnothers = !times.empty() && !world.isFreeOf({Mishap::restarted}, times.back(), login.sent + 1us);
		if (!times.empty() && login.sent - times.back() < 1s && !isAnothers) {
			return "two logins within a second" + at(login.sent);
		}
		times.push_back(login.sent);
		if (times.size() > inAnHour && login.sent - times[times.size() - 1 - inAnHour] < 1h) {
			return "more than " + std::to_string(inAnHour) + " logins in an hour" + at(login.sent);
		}
	}
	return {};
}

/// A login whose answer could be read must have been necessary: the token in use was old enough, or no good any more.
Broken noLoginInVain(const LoginWorld& world, const LoginChronicle& chronicle)
{
	const bool moved = world.happens(Mishap::wallMoves) || world.happens(Mishap::denied) ||
					   world.happens(Mishap::losesAnswers) || world.noPolicy || world.otherAddress ||
					   world.method == LoginMethod::certificate;
	if (moved) {
		return {};
	}
	for (const auto& login : chronicle.logins) {
		if (!login.inUse || !login.token) {
			continue;
		}
		const auto& before = chronicle.tokens[*login.inUse];
		const bool alive = login.sent < before.end && !before.revoked;
		const auto end = world.batch ? before.issued + before.lease : before.wall;
		const auto age = login.sent - before.issued;
		if (alive && (end == Instant::max() || age < (end - before.issued) * 3 / 10)) {
			return "a login beside a young token" + at(login.sent);
		}
	}
	return {};
}

/// Every token that reached us is in use, was, or was asked to be revoked.
Broken noOrphans(const LoginWorld& world, const LoginChronicle& chronicle)
{
	if (world.batch) {
		return {}; // cannot be revoked
	}
	std::vector<bool> accounted(chronicle.tokens.size());
	const auto account = [&](std::size_t token) { accounted[token] = true; };
	std::ranges::for_each(chronicle.lost, account);
	for (const auto& use : chronicle.diary.uses) {
		account(use.token);
	}
	for (std::size_t token = 0; token < accounted.size(); ++token) {
		const bool recent = chronicle.ends - chronicle.tokens[token].issued < 5min; // still to be proven or revoked
		const bool duringTrouble =
			!world.isFreeOf(allOfNetwork, chronicle.tokens[token].issued, chronicle.tokens[token].issued + 30min);
		if (!accounted[token] && !chronicle.tokens[token].revokeAsked && !recent && !duringTrouble) {
			return "token " + std::to_string(token) + " was forgotten";
		}
	}
	return {};
}

/// Where the material's end was known, the operator has heard of it before the login that failed by it; and a token
/// that died because logins failed was announced half an overlap before.
Broken failureIsForetold(const LoginWorld& world, const LoginChronicle& chronicle)
{
	const auto heard = [&](unsigned issuer, Instant before, bool foresight) {
		return std::ranges::any_of(chronicle.diary.told, [&](const LoginDiary::Told& told) {
			const bool counts = foresight
									? told.event.reason == Reason::loginEnds
									: told.event.reason == Reason::loginEnds || told.event.outcome == Outcome::failure;
			return told.issuer == issuer && told.at <= before && counts;
		});
	};
	const bool readable = world.method == LoginMethod::jwt || world.method == LoginMethod::certificate;
	const bool foreseeable = readable && world.materialLife > 0s && world.rotation == 0s &&
							 world.isFreeOf(allOfMaterial, worldBegins, chronicle.ends);
	for (const auto& login : chronicle.logins) {
		const auto known = login.sent - world.materialLife; // by now it has ended
		if (foreseeable && known >= worldBegins && login.kind == LoginTrouble::Kind::material &&
			!heard(login.issuer, login.sent, true)) {
			return "a login failed by material that was known to end, and no event told so" + at(login.sent);
		}
	}
	for (const auto& gap : chronicle.gaps) {
		const auto& token = chronicle.tokens[gap.token];
		const auto life = token.wall == Instant::max() ? Duration::zero() : token.wall - token.issued;
		const bool metWall = gap.from >= token.wall - 2s && !token.revoked && life > 2 * world.lease;
		const auto overlap = world.lease / 2;
		const auto since = gap.from - overlap;
		const bool bad = std::ranges::any_of(world.misfortunes, [&](const Misfortune& one) {
			return one.mishap == Mishap::misconfigured && one.from < since - overlap && one.until > gap.from;
		});
		const bool clear = world.isFreeOf(allOfNetwork, token.issued, gap.from) && world.lease >= 20s;
		if (metWall && bad && clear && !heard(gap.issuer, gap.from - overlap / 2, false)) {
			return "no event told in time of the death" + at(gap.from);
		}
	}
	return {};
}

/// From every state: a proven token in bounded time, once server and material are good.
Broken comesBack(const LoginWorld& world, const LoginChronicle& chronicle)
{
	if (!lasts(world) || world.otherAddress || world.noPolicy || needsAPerson(world)) {
		return {};
	}
	Instant good = worldBegins;
	bool refused = false;
	for (const auto& one : world.misfortunes) {
		if (one.mishap == Mishap::denied || one.mishap == Mishap::wallMoves) {
			continue;
		}
		good = std::max(good, one.mishap == Mishap::revoked ? one.from : one.until);
	}
	for (const auto& login : chronicle.logins) {
		refused = refused || (login.kind && *login.kind != LoginTrouble::Kind::passes) ||
				  (login.kind && !login.unsent && world.countsRefusals());
	}
	// A silent revocation is noticed by the next renewal. Refusals wait for 16 min, and so do their siblings, one after
	// the other.
	const auto bound = Duration(world.lease) + 3min + 20 * world.latency + (refused ? 18min + world.issuers * 2s : 0s);
	if (good + bound >= chronicle.ends) {
		return {};
	}
	for (unsigned issuer = 0; issuer < world.issuers; ++issuer) {
		const bool ever = std::ranges::any_of(chronicle.diary.uses,
			[&](const LoginDiary::Use& use) { return use.issuer == issuer && use.at < good + bound; });
		if (!ever) {
			return "issuer " + std::to_string(issuer) + " has no token" + at(good + bound);
		}
	}
	for (const auto& gap : chronicle.gaps) {
		const auto from = std::max(gap.from, good);
		if (gap.until > good && gap.until - from > bound) {
			return "issuer " + std::to_string(gap.issuer) + " is without a token" + at(good + bound);
		}
	}
	return {};
}

Broken noSwitchWithoutProof(const LoginWorld&, const LoginChronicle& chronicle)
{
	for (const auto& use : chronicle.diary.uses) {
		if (!use.proven) {
			return "token " + std::to_string(use.token) + " was taken into use unproven" + at(use.at);
		}
	}
	return {};
}

/// After a restart the token of the sink is asked about before any login, but for one that a replaced certificate calls
/// for.
Broken sinkBeforeLogin(const LoginWorld& world, const LoginChronicle& chronicle)
{
	if (world.method == vault::renewal::LoginMethod::certificate && world.rotation > 0s) {
		return {};
	}
	for (const auto& restart : chronicle.restarts) {
		for (const auto& login : chronicle.logins) {
			if (login.issuer == restart.issuer && login.sent >= restart.at && login.sent < restart.answered) {
				return "a login before the token of the sink was asked about" + at(login.sent);
			}
		}
	}
	return {};
}

/// A wrapped secret is unwrapped once, by any process, and only where it was made for us.
Broken wrapsAreOpenedOnce(const LoginWorld&, const LoginChronicle& chronicle)
{
	for (const auto& material : chronicle.materials) {
		if (material.unwrapped > (material.foreign ? 0U : 1U)) {
			return (material.foreign ? "another client's secret" : "a secret") + std::string(" was unwrapped ") +
				   std::to_string(material.unwrapped) + " times";
		}
	}
	return {};
}

constexpr std::array all = {
	LoginProperty{
		"NoGapInVain", "no moment without a token where server and material were good within the overlap", noGapInVain},
	LoginProperty{"NobodyLockedOut", "no identity is ever locked out by us", nobodyLockedOut},
	LoginProperty{"NoStorm", "logins in every hour and in flight are bounded", noStorm},
	LoginProperty{"NoLoginInVain", "no use is spent on a login that was not needed", noLoginInVain},
	LoginProperty{"NoOrphans", "every token whose answer came is used or revoked", noOrphans},
	LoginProperty{
		"FailureIsForetold", "a next login that will fail is told while the old token lives", failureIsForetold},
	LoginProperty{"ComesBack", "good material and server bring a proven token in bounded time", comesBack},
	LoginProperty{
		"NoSwitchWithoutProof", "no token is taken into use before the server has accepted it", noSwitchWithoutProof},
	LoginProperty{"SinkBeforeLogin", "after a restart the token of the sink is asked about first", sinkBeforeLogin},
	LoginProperty{
		"WrapsAreOpenedOnce", "a wrapped secret is unwrapped once, and only if it is ours", wrapsAreOpenedOnce},
};

} // namespace

bool inVain(const LoginWorld& world, const LoginChronicle& chronicle, const LoginChronicle::Gap& gap)
{
	const auto& token = chronicle.tokens[gap.token];
	if (token.revoked || token.unheard || world.otherAddress || !lasts(world) || world.happens(Mishap::wallMoves) ||
		needsAPerson(world)) {
		return false;
	}
	// As much as the last tries need: one whose answer is lost, the pause after it, and two round trips.
	const Duration reserve = 20s + 10 * world.latency;
	const auto overlap = token.lease / 2;
	const auto window = overlap > reserve + reserve / 3 ? reserve : token.lease;
	return world.isFreeOf(allOfNetwork, gap.from - window, gap.from + 1us) &&
		   world.isFreeOf(allOfMaterial, worldBegins, gap.from + 1us);
}

std::span<const LoginProperty, loginPropertyCount> loginProperties()
{
	return all;
}

} // namespace issuer::simulation
