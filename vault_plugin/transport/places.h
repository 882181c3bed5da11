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
/// first. There are three kinds of mark, as they have different consequences:
/// - of replies (5xx, not the server's language, malformed, silence): its idle connections are closed;
/// - of connecting: idle connections may still be good, and are tried before a marked endpoint is dialled again;
/// - of one identity's handshake: other identities do not see it, nor suffer from it.
/// The reasons are in docs/places.md.
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

	/// The parameters of these rules.
	struct Options
	{
		/// An answer of the resolver counts for all new connections for so long, while some endpoint is unmarked.
		Duration resolvedFor = std::chrono::seconds(5);
		/// Least time between two resolutions of a name in trouble.
		Duration resolvedAgainAfter = std::chrono::milliseconds(250);
		/// Resolving may take budget / resolverShare where remembered endpoints could be used instead.
		int resolverShare = 4;
		/// A kept connection's first byte is awaited for `latencies` × the endpoint's usual latency, at least
		/// `leastPatience`, and at most budget / `patienceShare`, which wins; but where answers take longer than that,
		/// for twice the usual latency, up to half of the budget, as long as the usual latency is less than that.
		Duration leastPatience = std::chrono::milliseconds(250);
		int latencies = 4;
		int patienceShare = 4;
		/// Most endpoints that are kept of a place although its name does not give them any more.
		std::size_t mostRemembered = 8;
		/// Most addresses of a name that are used.
		std::size_t mostNamed = 32;
	};

	/// One attempt to have a request answered. Owned by the caller; made by begin().
	struct Attempt
	{
		std::span<const PlaceId> places; ///< as configured; borrowed
		Identity identity = 0;
		Instant deadline;
		bool mayReuse = false; ///< a kept connection may be tried; ends with the first one that fails

		std::vector<EndpointId> dialled; ///< endpoints that were dialled in vain
		std::vector<EndpointId> looked;  ///< endpoints of which no connection was kept
		std::vector<PlaceId> resolved;   ///< places whose name was resolved in this attempt, with or without an answer
	};

	/// Use a kept connection to `endpoint`; if there is none, call nothingKept().
	struct Reuse
	{
		EndpointId endpoint;
		Duration patience; ///< for the first byte of the reply, from the request's first byte on
	};
	/// Resolve the place's name by `until`; then call resolved(), resolverFailed() or resolverIsSlow(). `until` may be
	/// now: only check whether an answer has come meanwhile.
	struct Resolve
	{
		PlaceId place;
		Instant until;
	};
	/// Connect to the first of `order`, and beside it to the next when one has failed or the RFC 8305 delay has passed.
	/// Then call connected(), or else dialFailed() for each of them once `until` has come.
	struct Dial
	{
		std::vector<EndpointId> order; ///< at least one
		Instant until;
	};
	/// No way is left.
	struct GiveUp
	{
	};
	using Step = std::variant<Reuse, Resolve, Dial, GiveUp>;

	Places() = default;
	explicit Places(const Options& options) : _options(options) {}

	/// Adds a place whose name has to be resolved.
	[[nodiscard]] PlaceId addNamed();
	/// Adds a place whose addresses never change, in the order to be tried: numeric hosts, unix sockets.
	[[nodiscard]] PlaceId addFixed(std::span<const std::string> addresses);
	/// Removes the place and its endpoints. Later facts about them are ignored.
	void remove(PlaceId place) noexcept;
	[[nodiscard]] std::vector<EndpointId> endpoints(PlaceId place) const;

	/// Begins an attempt that may take until `deadline`. `repeatable`: the request may be sent again over a fresh
	/// connection when a kept one brings no byte of a reply; one that may not never goes over a kept connection.
	[[nodiscard]] static Attempt begin(
		std::span<const PlaceId> places, Identity identity, Instant deadline, bool repeatable);

	/// Returns the next step of the attempt. Once a request is on the wire of a fresh connection its outcome is the
	/// attempt's: no next step.
	[[nodiscard]] Step next(const Attempt& attempt, Instant now) const;

	/// Facts about opening a connection. @{
	void nothingKept(Attempt& attempt, EndpointId endpoint) const;
	/// Takes an answer of the resolver: `addresses`, at least one, in order. Returns the endpoints that are gone: close
	/// their idle connections.
	[[nodiscard]] std::vector<EndpointId> resolved(
		Attempt& attempt, PlaceId place, std::span<const std::string> addresses, Instant now);
	void resolverFailed(Attempt& attempt, PlaceId place, Instant now);
	void resolverIsSlow(Attempt& attempt, PlaceId place, Instant now);
	/// Connecting, or opening a tunnel through the place's proxy, failed or took longer than its share.
	void dialFailed(Attempt& attempt, EndpointId endpoint, Instant now);
	/// The TLS handshake of the attempt's identity failed or took longer than its share.
	void handshakeFailed(Attempt& attempt, EndpointId endpoint, Instant now);
	/// @}

	/// Returns when a connection that has just been made must be open (tunnel, handshake): the end of its share of the
	/// time.
	[[nodiscard]] Instant openBy(const Attempt& attempt, Instant now) const;

	/// Facts about requests. Those that return true have marked the endpoint's replies: close its idle connections. @{
	/// A reply below 500 in the server's own language.
	void goodReply(const Attempt& attempt, EndpointId endpoint, Duration firstByteAfter, Instant now);
	/// Any other reply, or none that is complete: 5xx, not the server's language, malformed, reset, silence.
	bool badReply(EndpointId endpoint, Instant now);
	/// A kept connection brought no byte within its patience; the request goes once more over a fresh one.
	bool keptSilent(Attempt& attempt, EndpointId endpoint, Instant now);
	/// A kept connection was closed before a byte came, most likely while it was idle: no mark, but no other kept one
	/// is tried either.
	void keptClosed(Attempt& attempt) const noexcept { attempt.mayReuse = false; }
	/// @}

	/// Returns the place that an attempt would begin with.
	[[nodiscard]] PlaceId first(std::span<const PlaceId> places, Identity identity) const;

	/// Returns the address of an endpoint, as it was given; null when it is gone.
	[[nodiscard]] const std::string* address(EndpointId endpoint) const;

	/// Returns whether the name cannot be resolved now, or not in time, so that remembered endpoints are used. For the
	/// log.
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
		bool named = true; ///< it was in the latest answer of the resolver
		Instant lastGood = never;
		Instant badReplyAt = never;
		Instant dialFailedAt = never;
		std::vector<IdentityMark> handshakesFailed;
		Duration latency{}; ///< recent worst time to the first byte, decaying; 0: unknown
	};
	enum class Name : std::uint8_t
	{
		fixed,      ///< there is no name
		unresolved, ///< never resolved
		known,      ///< the last answer was good
		failing,    ///< the latest answer was an error
		slow,       ///< the resolver has not answered in time
	};
	struct Place
	{
		Name name = Name::unresolved;
		std::vector<Endpoint> endpoints;
		Instant resolvedAt = never;
		Instant resolvingFailedAt = never; ///< time of the latest error or timeout
	};
	/// An endpoint as one attempt sees it; without an endpoint: a place whose name has to be resolved first.
	struct Candidate
	{
		PlaceId place = 0;
		const Endpoint* endpoint = nullptr;
		Instant mark = never;  ///< never: unmarked
		bool lastGood = false; ///< it gave the latest good reply of all candidates

		[[nodiscard]] EndpointId id() const { return {place, endpoint->number}; }
	};

	[[nodiscard]] static Instant markOf(const Endpoint& endpoint, Identity identity);
	[[nodiscard]] static bool isDialable(const Place& place, const Endpoint& endpoint);
	[[nodiscard]] static bool isBefore(const Candidate& a, const Candidate& b);
	[[nodiscard]] static bool races(const Candidate& candidate);
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
