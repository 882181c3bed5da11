#pragma once

#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace issuer::vault::transport {

/// Decides which way a request goes: to which endpoint of which place, over a kept connection or a fresh one, with how
/// much patience, and when a name is resolved anew. Facts with a time go in, steps come out: no socket, no clock, no
/// thread, no lock in it. The caller guards it.
///
/// A *place* is where bytes go: scheme, host, port or socket path, and the proxy between. It has *endpoints*: the
/// network addresses that its name resolved to last, and some that worked before. An *identity* is how the two ends
/// prove themselves over TLS; 0 is plain.
///
/// An endpoint that fails carries a mark with its time, until a good reply clears it. The endpoints of all places of an
/// attempt are one list: unmarked ones first (the last good one, then as configured), then marked ones, oldest mark
/// first. There are three marks, as they say different things:
/// - of replies (5xx, not the server's language, malformed, silence): its idle connections are closed;
/// - of connecting: idle connections may still be good, and are tried before a marked endpoint is dialled again;
/// - of one identity's handshake: other identities do not see it, nor suffer from it.
class Places
{
public:
	using PlaceId = std::uint32_t;
	using Identity = std::uint32_t;

	/// An endpoint by its number, which is never given twice.
	struct EndpointId
	{
		PlaceId place = 0;
		std::uint32_t number = 0;

		friend auto operator<=>(const EndpointId&, const EndpointId&) = default;
	};

	/// The numbers of these rules.
	struct Options
	{
		/// For so long an answer of the resolver is good for all new connections, while some endpoint is unmarked.
		Duration resolvedFor = std::chrono::seconds(5);
		/// A name in trouble is not resolved again sooner.
		Duration resolvedAgainAfter = std::chrono::milliseconds(250);
		/// Resolving may take budget / this where remembered endpoints could be used instead.
		int resolverShare = 4;
		/// A kept connection's first byte is awaited for `latencies` × the endpoint's usual latency, at least
		/// `leastPatience`, and at most budget / `patienceShare`, which wins.
		Duration leastPatience = std::chrono::milliseconds(250);
		int latencies = 4;
		int patienceShare = 4;
		/// How many of a place's endpoints are kept that its name does not give any more.
		std::size_t mostRemembered = 8;
		/// How many of a name's addresses are used.
		std::size_t mostNamed = 32;
	};

	/// One attempt to have a request answered. Owned by the caller; begin() makes it.
	struct Attempt
	{
		std::span<const PlaceId> places; ///< as configured; borrowed
		Identity identity = 0;
		Instant deadline;
		bool mayReuse = false; ///< a kept connection may be tried; ends with the first one that fails

		std::vector<EndpointId> dialled; ///< in vain
		std::vector<EndpointId> looked;  ///< of these no connection was kept
		std::vector<PlaceId> resolved;   ///< names asked in this attempt, with or without an answer
	};

	/// Use a kept connection to `endpoint`, if there is one. If not: nothingKept().
	struct Reuse
	{
		EndpointId endpoint;
		Duration patience; ///< for the first byte of the reply, from the request's first byte on
	};
	/// Ask for the addresses of the place's name until `until`: then resolved(), resolverFailed() or resolverIsSlow().
	/// `until` may be now: only look whether an answer has come meanwhile.
	struct Resolve
	{
		PlaceId place;
		Instant until;
	};
	/// Connect to the first of `order`; to the next as well when one has failed or the RFC 8305 delay has passed. Then
	/// connected(), or else dialFailed() of all of them once `until` has come.
	struct Dial
	{
		std::vector<EndpointId> order; ///< at least one
		Instant until;
	};
	/// There is no further way.
	struct GiveUp
	{
	};
	using Step = std::variant<Reuse, Resolve, Dial, GiveUp>;

	Places() = default;
	explicit Places(const Options& options) : _options(options) {}

	/// A place whose name has to be resolved.
	[[nodiscard]] PlaceId addNamed();
	/// A place whose addresses never change, in the order to be tried: numeric hosts, unix sockets.
	[[nodiscard]] PlaceId addFixed(std::span<const std::string> addresses);
	/// Forgets the place and its endpoints. Facts about them are ignored from now on.
	void remove(PlaceId place) noexcept;
	[[nodiscard]] std::vector<EndpointId> endpoints(PlaceId place) const;

	/// An attempt that may take until `deadline`. `repeatable`: the request may be sent again over a fresh connection
	/// when a kept one brings no byte of a reply; one that is not never goes over a kept connection.
	[[nodiscard]] static Attempt begin(
		std::span<const PlaceId> places, Identity identity, Instant deadline, bool repeatable);

	/// What to do next. Once a request is on the wire of a fresh connection its outcome is the attempt's: no next step.
	[[nodiscard]] Step next(const Attempt& attempt, Instant now) const;

	/// Facts of the way to a connection.
	/// @{
	void nothingKept(Attempt& attempt, EndpointId endpoint) const;
	/// Returns the endpoints that are gone: close their idle connections. `addresses`: at least one, in order.
	[[nodiscard]] std::vector<EndpointId> resolved(
		Attempt& attempt, PlaceId place, std::span<const std::string> addresses, Instant now);
	void resolverFailed(Attempt& attempt, PlaceId place, Instant now);
	void resolverIsSlow(Attempt& attempt, PlaceId place, Instant now);
	/// Connecting, or opening a tunnel through the place's proxy, failed or took longer than its share.
	void dialFailed(Attempt& attempt, EndpointId endpoint, Instant now);
	/// The TLS handshake of the attempt's identity did.
	void handshakeFailed(Attempt& attempt, EndpointId endpoint, Instant now);
	/// @}

	/// Until when a connection that has just been made may take to open (tunnel, handshake): its share of the time.
	[[nodiscard]] Instant openBy(const Attempt& attempt, Instant now) const;

	/// Facts about requests. Those that return true have marked the endpoint's replies: close its idle connections.
	/// @{
	/// A reply below 500 in the server's own language.
	void goodReply(const Attempt& attempt, EndpointId endpoint, Duration firstByteAfter, Instant now);
	/// Any other reply, or none that is complete: 5xx, not the server's language, malformed, reset, silence.
	bool badReply(EndpointId endpoint, Instant now);
	/// A kept connection brought no byte within its patience; the request goes once more over a fresh one.
	bool keptSilent(Attempt& attempt, EndpointId endpoint, Instant now);
	/// A kept connection was closed before a byte came, most likely in its sleep: no mark, but no other one either.
	void keptClosed(Attempt& attempt) const noexcept { attempt.mayReuse = false; }
	/// @}

	/// The place that an attempt would begin with.
	[[nodiscard]] PlaceId first(std::span<const PlaceId> places, Identity identity) const;

	/// The address of an endpoint, as it was given; null when it is gone.
	[[nodiscard]] const std::string* address(EndpointId endpoint) const;

	/// The name cannot be resolved now, or not in time: remembered endpoints are used. For a word in the log.
	[[nodiscard]] bool isNameInTrouble(PlaceId place) const;

private:
	static constexpr Instant never = Instant::min();

	struct IdentityMark
	{
		Identity identity;
		Instant at;
	};
	struct Endpoint
	{
		std::uint32_t number = 0;
		std::string address;
		bool named = true; ///< the name gave it when it was resolved last
		Instant lastGood = never;
		Instant badReplyAt = never;
		Instant dialFailedAt = never;
		std::vector<IdentityMark> handshakesFailed;
		Duration latency{}; ///< recent worst time to the first byte, decaying; 0: not known
	};
	enum class Name : std::uint8_t
	{
		fixed,      ///< there is none
		unresolved, ///< not asked yet
		known,      ///< the last answer was good
		failing,    ///< the resolver says no
		slow,       ///< the resolver has not answered in time
	};
	struct Place
	{
		Name name = Name::unresolved;
		std::vector<Endpoint> endpoints;
		Instant resolvedAt = never;
		Instant resolvingFailedAt = never; ///< or was slow
	};
	/// An endpoint as an attempt sees it; without one: a place whose name has to be resolved first.
	struct Candidate
	{
		PlaceId place = 0;
		const Endpoint* endpoint = nullptr;
		Instant mark = never;  ///< never: unmarked
		bool lastGood = false; ///< of all candidates

		[[nodiscard]] EndpointId id() const { return {place, endpoint->number}; }
	};

	[[nodiscard]] static Instant markOf(const Endpoint& endpoint, Identity identity);
	[[nodiscard]] static bool isDialable(const Place& place, const Endpoint& endpoint);
	[[nodiscard]] static bool isBefore(const Candidate& a, const Candidate& b);
	/// Calls `visit` with each candidate of the attempt, in configured order.
	template <class Visit>
	void eachCandidate(std::span<const PlaceId> places, Identity identity, Visit&& visit) const;
	[[nodiscard]] std::vector<Candidate> toDial(const Attempt& attempt) const;
	[[nodiscard]] bool mustResolve(const Attempt& attempt, PlaceId id, Instant now) const;
	[[nodiscard]] Step resolve(const Attempt& attempt, PlaceId place, std::size_t left, Instant now) const;
	[[nodiscard]] Step reuse(const Attempt& attempt, const Candidate& candidate, Instant now) const;
	[[nodiscard]] Endpoint* find(EndpointId id);
	[[nodiscard]] const Endpoint* find(EndpointId id) const;
	[[nodiscard]] PlaceId add(Place place);

	Options _options;
	std::vector<Place> _places;
	std::vector<PlaceId> _free;
	std::uint32_t _lastNumber = 0;
};

} // namespace issuer::vault::transport
