#include "judging.h"

#include <algorithm>

/// Judges the forecasts of a token's end.
namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::State;

namespace {

/// Converts a time of a saying into an instant.
Instant told(const Saying& saying, WallTime time)
{
	return saying.at + (time - saying.wallClock);
}

Broken deathForetold(const Chronicle& chronicle)
{
	int known = -1; // number of the life whose max TTL the renewer has been shown
	for (const auto& saying : chronicle.sayings) {
		if (saying.snapshot.state == State::starting) {
			known = -1; // begun anew, and nothing is remembered
		}
		if (saying.wallShown && saying.undisturbed) {
			known = saying.life;
		}
		const bool owed = known == saying.life && saying.undisturbed && saying.snapshot.state != State::stopped &&
						  saying.snapshot.state != State::starting && saying.maxTtlEnd;
		if (!owed) {
			continue;
		}
		if (!saying.snapshot.cappedAt) {
			return "the max TTL was shown, and the hour of death is not told" + at(chronicle, saying.at);
		}
		const auto off = told(saying, *saying.snapshot.cappedAt) - *saying.maxTtlEnd;
		if (std::chrono::abs(off) > 2s + saying.uncertainty) {
			return "the hour of death is told wrong by " + inWords(off) + at(chronicle, saying.at);
		}
	}
	return {};
}

/// A token's end is never told later than it is, by more than rounding and a round trip.
Broken noLifePromised(const Chronicle& chronicle)
{
	for (const auto& saying : chronicle.sayings) {
		const bool owed =
			saying.answer && saying.undisturbed && !saying.untold && saying.snapshot.expires && saying.end > saying.at;
		if (owed && told(saying, *saying.snapshot.expires) > saying.end + 1500ms + saying.uncertainty) {
			return "life is promised beyond the token's end, for " +
				   inWords(told(saying, *saying.snapshot.expires) - saying.end) + at(chronicle, saying.at);
		}
	}
	return {};
}

/// Finds a token that was called dead before its end. No refusal of a server justifies that, except of a new token
/// after 7 s.
Broken noDeathInvented(const World& world, const Chronicle& chronicle)
{
	if (world.token.kind == Kind::limitedUses) {
		return {}; // each look would cost a use
	}
	const auto tellsNoEnd = [](const Incident& incident) {
		return incident.fault == Fault::lookUpRefused || incident.fault == Fault::policyDenies;
	};
	if (std::ranges::any_of(world.incidents, tellsNoEnd)) {
		return {}; // it was accepted, and its end was not told
	}
	for (const auto& saying : chronicle.sayings) {
		if (saying.snapshot.state == State::expired && saying.end > saying.at && saying.held < 6500ms &&
			!saying.snapshot.expires) {
			return "a new token is called dead after " + inWords(saying.held) + at(chronicle, saying.at);
		}
		const bool calledDead = saying.snapshot.state == State::expired && saying.snapshot.expires;
		if (calledDead && saying.undisturbed && saying.end > saying.at &&
			told(saying, *saying.snapshot.expires) > saying.at + 2s + saying.uncertainty) {
			return "a living token is called dead" + at(chronicle, saying.at);
		}
	}
	return {};
}

/// The operator hears it once in a life.
Broken deathToldOnce(const Chronicle& chronicle)
{
	int life = -1;
	int times = 0;
	int others = 0;
	for (const auto& saying : chronicle.sayings) {
		times = (saying.life == life ? times : 0) + saying.notRenewableForMaxTtl;
		others = (saying.life == life ? others : 0) + saying.notRenewables - saying.notRenewableForMaxTtl;
		life = saying.life;
		if (saying.last && (others > 1 || others + times < 1)) {
			return "a last lease was reported " + std::to_string(others) + " times" + at(chronicle, saying.at);
		}
		if (times > 1 && saying.undisturbed) {
			return "the max TTL was reported again" + at(chronicle, saying.at);
		}
	}
	return {};
}

} // namespace

Broken deathIsForecast(const World& world, const Chronicle& chronicle)
{
	if (auto breach = deathForetold(chronicle)) {
		return breach;
	}
	if (auto breach = noLifePromised(chronicle)) {
		return breach;
	}
	if (auto breach = noDeathInvented(world, chronicle)) {
		return breach;
	}
	return deathToldOnce(chronicle);
}

} // namespace issuer::simulation
