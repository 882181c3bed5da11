#pragma once

#include "renewal/keeper.h"
#include "ways.h"
#include "world.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The events of a world, for the properties to judge.
namespace issuer::simulation {

struct Exchange
{
	Instant sent;
	Instant ended;
	vault::renewal::Operation operation{};
	bool extended = false;    ///< the renewer holds a grant
	bool answered = false;    ///< by a server, within the time it was given
	bool failed = false;      ///< it holds a trouble, or nothing
	bool interrupted = false; ///< the owner's run has failed: the renewer heard nothing of it
	Duration granted{};       ///< by a renewal
	std::optional<Duration> retryAfter;
	bool refused = false;      ///< by a verdict on the token
	bool disowned = false;     ///< of these: as a server refuses a dead token, too
	bool mischance = false;    ///< the network lost it, by no fault that has a name
	bool duringOutage = false; ///< sent while the server could not renew
	bool tokenAlive = true;    ///< when it was sent
	Duration toldLease{};      ///< the latest lease that the renewer knew of when it sent
	Duration remaining{};      ///< of the token's life as the renewer had been told of it; largest: not at all
	vault::renewal::State stateBefore{};
	int life = 0; ///< each credential, and each begin, begins another
	bool ofCandidate = false;
	bool afterLast = false; ///< a renewal had said before that the server will grant no other
};

/// A time during which the token could not be renewed.
struct Trouble
{
	Instant from;
	Instant to;
};

/// The end of one credential.
struct Death
{
	Instant at;
	Instant told;         ///< earlier than that if a renewal was done whose answer the renewer never heard…
	Instant hoped;        ///< …and later than told if it was its own, sent before the end that it knew of
	Instant watchedSince; ///< the renewer ran, and had been told how long this token lives
	Instant askedSince;   ///< the renewer ran, and had this token
	Duration lease{};     ///< its latest, as the renewer had been told
	std::optional<Instant> maxTtlEnd; ///< its max TTL
	bool renewable = true;
	bool killed = false;               ///< revoked, or its uses were spent
	bool shortened = false;            ///< a rival made its life shorter, unknown to the renewer
	std::optional<Instant> wallRaised; ///< the latest time
	bool wallMoved = false;            ///< its max TTL was changed
	std::optional<Instant> warned;     ///< by the renewer
	std::optional<Instant> gaveUp;
	int life = 0;
	bool ofCandidate = false; ///< it was never adopted
	Instant acceptedFrom;     ///< the server refused it before; Instant::max(): for ever
	bool last = false;        ///< a renewal had said that the server will grant no other
};

/// One moment at which the renewer reported, or took an answer.
struct Saying
{
	Instant at;
	WallTime wallClock; ///< of the renewer's machine
	vault::renewal::Snapshot snapshot;
	std::optional<Instant> maxTtlEnd; ///< the truth, at this moment
	Instant end;                      ///< the truth
	int life = 0;
	int events = 0;
	int notes = 0;
	int outcomes = 0;              ///< events with an outcome
	int notRenewables = 0;         ///< of these: those that say that it will not be renewed any more…
	int notRenewableForMaxTtl = 0; ///< …and because of its max TTL
	bool wallShown = false;        ///< this answer revealed the max TTL
	bool undisturbed = true;       ///< no rival, no changed max TTL, so far in this life
	bool answer = false;           ///< an answer came
	bool untold = false;           ///< the token lives on by a renewal, and no answer has told yet by how much
	bool last = false;             ///< a renewal has said that the server will grant no other
	bool hasCandidate = false;
	Duration held{};        ///< the renewer has had this token for so long
	Duration uncertainty{}; ///< the slowest exchange that told of its end, in this life, took so long
};

struct Chronicle
{
	std::vector<Exchange> exchanges;
	std::vector<Trouble> troubles;
	std::vector<NetTrouble> netTroubles;
	std::vector<Resolution> resolutions; ///< each differs from the one before
	std::vector<Death> deaths;
	std::vector<Saying> sayings;
	std::vector<Instant> asked;      ///< times at which a renewal was asked for at once
	std::vector<std::string> broken; ///< promises broken on the spot: stop, recovery
	Instant began;
	Instant ended;
	int lives = 0;
};

[[nodiscard]] std::string_view nameOf(vault::renewal::State state);
[[nodiscard]] std::string_view nameOf(vault::renewal::Outcome outcome);

} // namespace issuer::simulation
