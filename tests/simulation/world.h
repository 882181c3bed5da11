#pragma once

#include "renewal/policy.h"

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

/// A world as plain data: one token, the server that grants its leases, the network between, and the faults with their
/// times. All of it small numbers, so that a failing world shrinks to one that can be read.
namespace issuer::simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;
using vault::Duration;
using vault::Instant;
using vault::Moment;
using vault::WallTime;

/// The kind of token, as far as it matters to its renewer.
enum class Kind : std::uint8_t
{
	service,      ///< token store: the server remembers the last increment, the ratchet
	roleService,  ///< AppRole, userpass: each renewal reads the role's TTL again
	periodic,     ///< lookup-self shows the period
	rolePeriodic, ///< lookup-self hides it
	batch,
	notRenewable,
	limitedUses,
	firstRoot,   ///< from sys/init: no lease at all
	createdRoot, ///< a lease that never ends
};

/// A point or length of time in ten-thousandths of a lease: the events of a world scale with the lease.
struct Part
{
	std::int32_t ofTenThousand = 0;

	[[nodiscard]] constexpr Duration of(Duration lease) const { return lease * ofTenThousand / 10'000; }
	friend constexpr bool operator==(Part, Part) = default;
};

struct TokenPlan
{
	Kind kind = Kind::service;
	seconds lease{60};
	seconds maxTtl{0};          ///< 0: none but the server's own 768 h
	bool maxTtlShown = false;   ///< lookup-self names it as explicit_max_ttl
	int uses = 3;               ///< of limitedUses alone
	Part spent;                 ///< of the lease, when the renewer begins
	int renewedBefore = 0;      ///< half leases between its issue and its last renewal
	milliseconds issuedAfter{}; ///< the full second of the server's clock
};

/// A fault that lasts for a while.
enum class Fault : std::uint8_t
{
	asleep,           ///< the renewer's machine is suspended: nothing runs on it, but time passes
	runsFail,         ///< the owner's runs throw, before they send or when an answer has come: out of memory, say
	refused,          ///< no server listens
	hanging,          ///< nothing is ever answered
	frozen,           ///< requests wait until the server continues, then it answers them
	replyLost,        ///< the server carries the request out; its answer is lost
	sealed,           ///< 503
	internalError,    ///< 500
	noLeader,         ///< look-ups are answered by a standby, renewals redirected to a dead leader
	frozenLeader,     ///< look-ups answered by a standby, renewals never
	throttled,        ///< 429 without a hint
	throttledToEnd,   ///< 429, Retry-After: the rest of it
	throttledTooFar,  ///< 429, Retry-After: an hour
	proxyPage,        ///< 200 and a page that is none of Vault's
	wrapped,          ///< renewed, but the answer says only that it was wrapped
	lastRenewal,      ///< renewals are granted with `renewable: false`: the server will grant no other
	lookUpFails,      ///< look-ups get a 500; renewals are answered
	lookUpMissing,    ///< look-ups get a 404; renewals are answered
	lookUpGarbage,    ///< look-ups get a page that is none of Vault's; renewals are answered
	lookUpRefused,    ///< look-ups get the 403 of a dead token, as policies may allow renewals alone
	absurdLease,      ///< every answer names a lease of centuries, and nothing is renewed
	leaseUnknown,     ///< renewals get 400 «invalid lease ID»; look-ups are answered
	namespaceGone,    ///< 404
	policyDenies,     ///< 403 in a policy's words
	unclearRefusal,   ///< renewals get a 403 in unknown words, look-ups are answered
	roleGone,         ///< 500 «role does not exist»; look-ups are answered
	userGone,         ///< 204; look-ups are answered
	entityDisabled,   ///< 403, the same as for a dead token
	sourceUnreadable, ///< the reader of the credential source reports an error; the server is well
	sourceHangs,      ///< the reader of the credential source reports nothing; the server is well
};

inline constexpr auto lastFault = Fault::sourceHangs;

struct Incident
{
	Fault fault = Fault::refused;
	Part start;
	Part length;
	bool toTheBrink = false; ///< overrides `length`: ends when the token has just enough life left to be saved
};

/// An act at one moment.
enum class Deed : std::uint8_t
{
	revoke,
	renewShort,        ///< a rival asks for a tenth of the lease
	renewLong,         ///< a rival asks for twice the lease
	lowerMaxTtl,       ///< to the token's present age and a quarter lease
	raiseMaxTtl,       ///< by four leases
	replaceCredential, ///< the source gives a new token of the same kind
	replaceByJunk,     ///< the source gives a text that the server accepts never
	restoreCredential, ///< the source gives the token in use again
	renewNow,
	stop,
	begin,
	handOver,      ///< a successor resumes from the renewer's memory
	stepWallClock, ///< by an hour
};

struct Happening
{
	Deed deed = Deed::renewNow;
	Part at;
};

struct Network
{
	milliseconds latency{2};  ///< of a whole round trip, at least
	milliseconds jitter{0};   ///< at most so much more
	int lossPercent = 0;      ///< of requests, and of replies
	milliseconds lateness{0}; ///< at most so much later than planned does the renewer's machine begin
};

/// The fault of an endpoint, or of one connection.
enum class WayFault : std::uint8_t
{
	refuses,   ///< connecting is refused, connections are reset
	dropsSyns, ///< connecting is never answered, connections are silent
	silent,    ///< connecting works, nothing else is ever answered
	sealed,    ///< each request gets a 503, the connection stays
	page,      ///< each request gets a proxy's page, the connection stays
};

/// A fault of the way to a server that is well.
enum class NetFault : std::uint8_t
{
	endpoints,   ///< some endpoints are broken
	connections, ///< the connections that exist at its start are broken for as long as they last, and some new ones
	nameMoves,   ///< the name gives other endpoints, and those that it gave before are broken
	resolverFails,
	resolverHangs,
	slotsTaken, ///< hanging neighbours hold all slots of the place
};

struct NetIncident
{
	NetFault fault = NetFault::endpoints;
	WayFault how = WayFault::sealed;
	std::uint8_t which = 1; ///< bits: of the endpoints, or of each four new connections of an endpoint
	Part start;
	Part length;
	bool toTheBrink = false; ///< as for Incident
};

/// The way from the renewer to the server.
struct Topology
{
	int endpoints = 0; ///< that its name gives, up to 4; 0: each request reaches the server, without a connection
	bool named = true; ///< false: the endpoints are written down as addresses
	milliseconds resolving{1}; ///< how long the resolver takes to answer
	seconds closesIdle{0};     ///< the server closes connections that were idle for so long; 0: never
	std::vector<NetIncident> incidents;
};

struct World
{
	TokenPlan token;
	Network network;
	Topology topology;
	std::vector<Incident> incidents;
	std::vector<Happening> happenings;
	vault::renewal::Policy policy;
	seconds clockSkew{0}; ///< of the renewer's wall clock against the server's
	/// The server refuses each token for so long after its source gave it: it has not reached the server's replica.
	milliseconds replicationLag{};
	int leases = 3;        ///< so long it is watched, before all faults end and a new credential comes
	seconds afterwards{0}; ///< watched on with a dead token
	std::uint64_t dice = 0;
};

[[nodiscard]] std::string_view nameOf(Kind kind);
[[nodiscard]] std::string_view nameOf(Fault fault);
[[nodiscard]] std::string_view nameOf(Deed deed);
[[nodiscard]] std::string_view nameOf(WayFault fault);
[[nodiscard]] std::string_view nameOf(NetFault fault);

/// Writes it on a few lines, to be read.
std::ostream& operator<<(std::ostream& out, const World& world);

/// "1.5 s", "12 min", "2.25 h": exact enough to compare two times by eye.
[[nodiscard]] std::string inWords(Duration length);
[[nodiscard]] std::string inWords(NetIncident incident);

/// The longest that an exchange takes when nothing is wrong.
[[nodiscard]] constexpr Duration slowestRoundTrip(const Network& network)
{
	return network.latency + network.jitter;
}

/// The renewer cannot renew the token while this lasts. (While a source is unreadable, the token from before serves.)
[[nodiscard]] bool preventsRenewal(Fault fault);

/// Returns whether the renewer asks again soon after this fault. After a refusal of a token whose end it does not know
/// it need not hurry; and a token without an end is refused with "invalid lease ID".
[[nodiscard]] bool passesSoon(Fault fault);

/// The server answers renewals, and no look-up in a way that tells of the token.
[[nodiscard]] constexpr bool spoilsLookUps(Fault fault)
{
	return fault == Fault::lookUpFails || fault == Fault::lookUpMissing || fault == Fault::lookUpGarbage ||
		   fault == Fault::lookUpRefused;
}

/// Returns whether a fault is of the credential source: then the server is as before.
[[nodiscard]] constexpr bool isOfSource(Fault fault)
{
	return fault == Fault::sourceUnreadable || fault == Fault::sourceHangs;
}

} // namespace issuer::simulation
