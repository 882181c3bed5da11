#include "transport/places.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

/// Which way a request goes: the rules, without a network.
namespace issuer::vault::transport {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

using Addresses = std::vector<std::string>;

class PlacesTest : public testing::Test
{
protected:
	/// An attempt over `_use`.
	Places::Attempt begin(Duration budget = 8s, bool repeatable = true)
	{
		return Places::begin(use, 0, now + budget, repeatable);
	}

	template <class Kind>
	Kind step(const Places::Attempt& attempt)
	{
		const auto step = places.next(attempt, now);
		const auto* kind = std::get_if<Kind>(&step);
		EXPECT_NE(kind, nullptr) << "another kind of step: " << step.index();
		return kind != nullptr ? *kind : Kind{};
	}

	/// The addresses that an attempt would connect to next, in order, where no connection is kept.
	Addresses dials(Places::Attempt& attempt)
	{
		for (auto step = places.next(attempt, now);; step = places.next(attempt, now)) {
			if (const auto* kept = std::get_if<Places::Reuse>(&step)) {
				places.nothingKept(attempt, kept->endpoint);
			}
			else if (const auto* dial = std::get_if<Places::Dial>(&step)) {
				last = dial->order;
				until = dial->until;
				Addresses addresses;
				std::ranges::transform(
					last, std::back_inserter(addresses), [&](auto id) { return *places.address(id); });
				return addresses;
			}
			else {
				EXPECT_TRUE(std::holds_alternative<Places::GiveUp>(step)) << "a name is to be resolved";
				return {};
			}
		}
	}
	Addresses dials()
	{
		auto attempt = begin();
		return dials(attempt);
	}

	/// `address` has just given a good reply, or a bad one.
	void good(const std::string& address, Duration after = 1ms)
	{
		places.goodReply(begin(), idOf(address), after, now += 1ms);
	}
	void bad(const std::string& address) { EXPECT_TRUE(places.badReply(idOf(address), now += 1ms)); }
	void undialable(const std::string& address)
	{
		auto attempt = begin();
		places.dialFailed(attempt, idOf(address), now += 1ms);
	}

	void resolve(Places::PlaceId place, const Addresses& addresses)
	{
		auto attempt = begin();
		remember(places.resolved(attempt, place, addresses, now));
	}

	/// A place with fixed endpoints.
	void addFixed(const Addresses& addresses) { use.push_back(places.addFixed(addresses)); }
	void addNamed() { use.push_back(places.addNamed()); }

	Places::EndpointId idOf(const std::string& address)
	{
		for (std::uint32_t number = 1; number < 100; ++number) {
			for (const auto place : use) {
				const auto* known = places.address({place, number});
				if (known != nullptr && *known == address) {
					return {place, number};
				}
			}
		}
		ADD_FAILURE() << address << " is not known";
		return {};
	}
	void remember(std::vector<Places::EndpointId> ids) { gone = std::move(ids); }

	Places places;
	std::vector<Places::PlaceId> use;
	Instant now{1h};
	std::vector<Places::EndpointId> last; ///< of dials()
	Instant until;
	std::vector<Places::EndpointId> gone; ///< of the last resolve()
};

// Rule 2: the next attempt goes another way.

TEST_F(PlacesTest, EndpointsOfAllAddressesAreOneListInConfiguredOrder)
{
	addFixed({"a1", "a2"});
	addFixed({"b"});
	EXPECT_THAT(dials(), ElementsAre("a1", "a2", "b"));
}

TEST_F(PlacesTest, TheLastGoodOneComesFirst)
{
	addFixed({"a1", "a2"});
	addFixed({"b"});
	good("a2");
	good("b");
	EXPECT_THAT(dials(), ElementsAre("b", "a1", "a2"));
	EXPECT_EQ(places.first(use, 0), use[1]);
}

TEST_F(PlacesTest, ABadReplySendsTheNextAttemptToAnUnmarkedEndpoint)
{
	addFixed({"a1", "a2"});
	good("a1");
	bad("a1");
	EXPECT_THAT(dials(), ElementsAre("a2"));
}

TEST_F(PlacesTest, OfMarkedEndpointsTheOldestMarkComesFirst)
{
	addFixed({"a1", "a2", "a3"});
	bad("a2");
	bad("a3");
	undialable("a1");
	EXPECT_THAT(dials(), ElementsAre("a2"));
	bad("a2");
	EXPECT_THAT(dials(), ElementsAre("a3"));
}

TEST_F(PlacesTest, MarkedEndpointsDoNotRace)
{
	addFixed({"a1", "a2", "a3"});
	bad("a1");
	EXPECT_THAT(dials(), ElementsAre("a2", "a3"));
	bad("a2");
	bad("a3");
	EXPECT_THAT(dials(), ElementsAre("a1"));
}

TEST_F(PlacesTest, ASuccessClearsTheMark)
{
	addFixed({"a1", "a2"});
	bad("a1");
	undialable("a1");
	good("a1");
	EXPECT_THAT(dials(), ElementsAre("a1", "a2"));
}

TEST_F(PlacesTest, ABadReplyOfAKeptConnectionMeansAFreshOneEvenWithOneEndpoint)
{
	addFixed({"a"});
	good("a");
	EXPECT_EQ(step<Places::Reuse>(begin()).endpoint, idOf("a"));
	bad("a");
	EXPECT_THAT(step<Places::Dial>(begin()).order, ElementsAre(idOf("a")));
	good("a");
	EXPECT_EQ(step<Places::Reuse>(begin()).endpoint, idOf("a"));
}

// Rule 3: before the request is on the wire the attempt goes on by itself.

TEST_F(PlacesTest, AnAttemptGoesOnToTheNextEndpointEachWithHalfOfWhatIsLeft)
{
	addFixed({"a1", "a2", "a3"});
	bad("a3");
	bad("a2");
	bad("a1");
	auto attempt = begin(8s);
	const auto begun = now;
	for (const auto& [address, share] : {std::pair("a3", 4s), std::pair("a2", 6s), std::pair("a1", 8s)}) {
		EXPECT_THAT(dials(attempt), ElementsAre(address));
		EXPECT_EQ(until, begun + share);
		EXPECT_EQ(places.openBy(attempt, now), until);
		places.dialFailed(attempt, last.front(), now = until);
	}
	EXPECT_THAT(dials(attempt), IsEmpty());
}

TEST_F(PlacesTest, ARaceHasHalfOfTheTimeWhereOthersAreLeft)
{
	addFixed({"a1", "a2", "a3", "a4"});
	bad("a4");
	auto attempt = begin(8s);
	EXPECT_THAT(dials(attempt), ElementsAre("a1", "a2", "a3"));
	EXPECT_EQ(until, now + 4s);
}

TEST_F(PlacesTest, EndpointsThatDidNotConnectRaceAndLeaveHalfOfTheTimeToTheOthers)
{
	addFixed({"a1", "a2", "a3", "a4"});
	undialable("a1");
	undialable("a2");
	bad("a3");
	undialable("a4");
	auto attempt = begin(8s);
	EXPECT_THAT(dials(attempt), ElementsAre("a1", "a2", "a4"));
	EXPECT_EQ(until, now + 4s);
	for (const auto& endpoint : std::vector(last)) {
		places.dialFailed(attempt, endpoint, now = until);
	}
	EXPECT_THAT(dials(attempt), ElementsAre("a3"));
	EXPECT_EQ(until, now + 4s) << "all that is left";
}

TEST_F(PlacesTest, AnEndpointThatConnectsAgainAndGivesABadReplyRacesNoLonger)
{
	addFixed({"a1", "a2"});
	undialable("a1");
	undialable("a2");
	EXPECT_THAT(dials(), ElementsAre("a1", "a2"));
	bad("a1");
	EXPECT_THAT(dials(), ElementsAre("a2"));
}

TEST_F(PlacesTest, AHandshakeThatFailsIsMarkedForItsIdentityOnly)
{
	addFixed({"a1", "a2"});
	auto attempt = Places::begin(use, 7, now + 8s, true);
	places.handshakeFailed(attempt, idOf("a1"), now);
	EXPECT_THAT(dials(attempt), ElementsAre("a2"));
	auto next = Places::begin(use, 7, now + 8s, true);
	EXPECT_THAT(dials(next), ElementsAre("a2"));
	auto neighbour = Places::begin(use, 8, now + 8s, true);
	EXPECT_THAT(dials(neighbour), ElementsAre("a1", "a2"));

	places.goodReply(next, idOf("a1"), 1ms, now);
	auto after = Places::begin(use, 7, now + 8s, true);
	EXPECT_THAT(dials(after), ElementsAre("a1", "a2"));
}

TEST_F(PlacesTest, WhereConnectingFailsAConnectionThatLastedIsStillTried)
{
	addFixed({"a"});
	good("a");
	auto attempt = begin();
	EXPECT_THAT(dials(attempt), ElementsAre("a"));
	places.dialFailed(attempt, idOf("a"), now);
	EXPECT_THAT(dials(attempt), IsEmpty()) << "it has looked for one already";
	EXPECT_EQ(step<Places::Reuse>(begin()).endpoint, idOf("a")) << "another may have come back meanwhile";
}

// Rule 4: a kept connection is trusted for a while, not for a life.

TEST_F(PlacesTest, TheFirstByteOfAKeptConnectionIsAwaitedForSeveralLatencies)
{
	addFixed({"a"});
	good("a", 10ms);
	EXPECT_EQ(step<Places::Reuse>(begin()).patience, 250ms);
	good("a", 100ms);
	EXPECT_EQ(step<Places::Reuse>(begin()).patience, 400ms);
	good("a", 1s);
	EXPECT_EQ(step<Places::Reuse>(begin(8s)).patience, 2s) << "a quarter of the budget at most";
	EXPECT_EQ(step<Places::Reuse>(begin(6s)).patience, 2s) << "but twice as long as an answer takes";
	EXPECT_EQ(step<Places::Reuse>(begin(3s)).patience, 1500ms) << "or half of the budget";
	EXPECT_EQ(step<Places::Reuse>(begin(2s)).patience, 500ms) << "unless that is less than an answer takes";
	for (int i = 0; i < 100; ++i) {
		good("a", 1ms);
	}
	EXPECT_EQ(step<Places::Reuse>(begin()).patience, 250ms) << "what was slow once is forgotten";
}

TEST_F(PlacesTest, ASilentKeptConnectionIsFollowedByAFreshOneInTheSameAttempt)
{
	addFixed({"a"});
	good("a");
	auto attempt = begin();
	const auto kept = step<Places::Reuse>(attempt);
	EXPECT_TRUE(places.keptSilent(attempt, kept.endpoint, now += kept.patience)) << "idle ones of the endpoint close";
	EXPECT_THAT(step<Places::Dial>(attempt).order, ElementsAre(kept.endpoint));
}

TEST_F(PlacesTest, ASilentKeptConnectionIsFollowedByAnotherEndpointWhereThereIsOne)
{
	addFixed({"a1", "a2"});
	good("a2");
	good("a1");
	auto attempt = begin();
	places.keptSilent(attempt, idOf("a1"), now);
	EXPECT_THAT(step<Places::Dial>(attempt).order, ElementsAre(idOf("a2"))) << "and not by a kept one of it";
}

TEST_F(PlacesTest, AKeptConnectionThatWasClosedIsNoMark)
{
	addFixed({"a1", "a2"});
	good("a1");
	auto attempt = begin();
	places.keptClosed(attempt);
	EXPECT_THAT(dials(attempt), ElementsAre("a1", "a2"));
	EXPECT_EQ(step<Places::Reuse>(begin()).endpoint, idOf("a1"));
}

TEST_F(PlacesTest, ARequestThatMayNotBeRepeatedGoesOverAFreshConnection)
{
	addFixed({"a"});
	good("a");
	EXPECT_THAT(step<Places::Dial>(begin(8s, false)).order, ElementsAre(idOf("a")));
}

// Rule 5: names are asked again after trouble.

TEST_F(PlacesTest, ANameIsResolvedBeforeItIsUsed)
{
	addNamed();
	auto attempt = begin();
	const auto resolve = step<Places::Resolve>(attempt);
	EXPECT_EQ(resolve.place, use.front());
	EXPECT_EQ(resolve.until, attempt.deadline) << "there is no other way";
	EXPECT_THAT(places.resolved(attempt, resolve.place, Addresses{"a", "b", "a"}, now), IsEmpty());
	EXPECT_THAT(dials(attempt), ElementsAre("a", "b"));
}

TEST_F(PlacesTest, AnAnswerOfTheResolverIsGoodForABurst)
{
	addNamed();
	resolve(use.front(), {"a"});
	now += 4s;
	EXPECT_THAT(dials(), ElementsAre("a"));
	now += 1s;
	step<Places::Resolve>(begin());
}

TEST_F(PlacesTest, ANameWhoseEndpointsAreAllMarkedIsResolvedAnewBeforeTheyAreUsed)
{
	addNamed();
	resolve(use.front(), {"a", "b"});
	now += 1s;
	bad("a");
	EXPECT_THAT(dials(), ElementsAre("b"));
	bad("b");
	auto attempt = begin();
	EXPECT_EQ(step<Places::Resolve>(attempt).place, use.front());
	EXPECT_THAT(places.resolved(attempt, use.front(), Addresses{"a", "b"}, now), IsEmpty());
	EXPECT_THAT(dials(attempt), ElementsAre("a"));
}

TEST_F(PlacesTest, ANameInTroubleIsNotResolvedMoreOftenThanThat)
{
	addNamed();
	resolve(use.front(), {"a"});
	bad("a");
	EXPECT_THAT(dials(), ElementsAre("a"));
	now += 250ms;
	step<Places::Resolve>(begin());
}

TEST_F(PlacesTest, AMarkedEndpointThatTheNameGivesNoLongerIsGone)
{
	addNamed();
	resolve(use.front(), {"old"});
	good("old");
	bad("old");
	const auto old = idOf("old");
	resolve(use.front(), {"new"});
	EXPECT_THAT(gone, ElementsAre(old));
	EXPECT_EQ(places.address(old), nullptr);
	EXPECT_FALSE(places.badReply(old, now)) << "facts about it are ignored";
	EXPECT_THAT(dials(), ElementsAre("new"));
}

TEST_F(PlacesTest, AGoodEndpointThatTheNameGivesNoLongerKeepsItsConnectionsButGetsNoMore)
{
	addNamed();
	resolve(use.front(), {"old"});
	good("old");
	resolve(use.front(), {"new"});
	EXPECT_THAT(gone, IsEmpty());
	EXPECT_EQ(step<Places::Reuse>(begin()).endpoint, idOf("old"));
	EXPECT_THAT(dials(), ElementsAre("new"));
}

TEST_F(PlacesTest, NotMoreThanAFewEndpointsAreRemembered)
{
	addNamed();
	for (int i = 0; i < 50; ++i) {
		resolve(use.front(), {"a" + std::to_string(i)});
		good("a" + std::to_string(i));
	}
	resolve(use.front(), {"b"});
	EXPECT_EQ(idOf("a49").place, use.front());
	auto attempt = begin();
	places.resolverFailed(attempt, use.front(), now);
	EXPECT_EQ(dials(attempt).size(), 1 + Places::Options().mostRemembered);
}

TEST_F(PlacesTest, RememberedEndpointsAreUsedWhenTheResolverFails)
{
	addNamed();
	resolve(use.front(), {"a"});
	good("a");
	now += 1h;
	auto attempt = begin(8s);
	places.nothingKept(attempt, step<Places::Reuse>(attempt).endpoint);
	EXPECT_EQ(step<Places::Resolve>(attempt).until, now + 2s) << "a share of the budget";
	places.resolverFailed(attempt, use.front(), now);
	EXPECT_TRUE(places.isNameInTrouble(use.front()));
	EXPECT_THAT(dials(attempt), ElementsAre("a"));
}

TEST_F(PlacesTest, AResolverThatIsSlowKeepsOneAttemptWaitingAndNoMore)
{
	addNamed();
	resolve(use.front(), {"a"});
	good("a");
	now += 1h;
	auto attempt = begin(8s);
	places.resolverIsSlow(attempt, use.front(), now += 2s);
	EXPECT_THAT(dials(attempt), ElementsAre("a"));
	good("a");
	auto next = begin();
	places.nothingKept(next, idOf("a"));
	EXPECT_EQ(step<Places::Resolve>(next).until, now) << "looks only whether it has answered meanwhile";
	resolve(use.front(), {"a"});
	EXPECT_FALSE(places.isNameInTrouble(use.front()));
}

TEST_F(PlacesTest, ADeadNameHasItsShareOnceAndThenComesLast)
{
	addNamed();
	addFixed({"b"});
	auto attempt = begin(8s);
	EXPECT_EQ(step<Places::Resolve>(attempt).until, now + 4s);
	places.resolverIsSlow(attempt, use.front(), now += 4s);
	EXPECT_THAT(dials(attempt), ElementsAre("b"));
	EXPECT_THAT(dials(), ElementsAre("b"));
	EXPECT_EQ(places.first(use, 0), use[1]);
}

TEST_F(PlacesTest, AnAttemptWithoutAnyWayGivesUp)
{
	addNamed();
	auto attempt = begin();
	places.resolverFailed(attempt, use.front(), now);
	step<Places::GiveUp>(attempt);
	addFixed({"a"});
	step<Places::GiveUp>(begin(0s));
}

TEST_F(PlacesTest, APlaceThatIsRemovedMakesRoomAndItsFactsAreIgnored)
{
	addFixed({"a"});
	const auto old = idOf("a");
	places.remove(use.front());
	use.clear();
	addFixed({"b"});
	EXPECT_EQ(use.front(), old.place);
	EXPECT_EQ(places.address(old), nullptr);
	EXPECT_FALSE(places.badReply(old, now));
	EXPECT_THAT(dials(), ElementsAre("b"));
}

} // namespace
} // namespace issuer::vault::transport
