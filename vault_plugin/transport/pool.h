#pragma once

#include "runtime/clock.h"
#include "runtime/job.h"
#include "runtime/scheduler.h"
#include "transport/connection.h"
#include "transport/kept.h"
#include "transport/places.h"
#include "transport/resolver.h"
#include "transport/socket_address.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace issuer::vault::transport {

/// The connections of a library: one table of places with their health, and the connections kept between requests,
/// shared by all settings. Takes the decisions of Places and reports the facts to it; sockets are opened and used by
/// its callers.
///
/// While connections idle, a job of the scheduler looks every 10 s for those that are old or that the server has
/// closed. At most a quarter of the process's descriptors is kept; when the process has none left, the oldest are
/// closed.
///
/// [thread-safe]
class Pool : public std::enable_shared_from_this<Pool>
{
public:
	using Clock = std::chrono::steady_clock;
	using Opened = KeptConnection<std::unique_ptr<Connection>>;
	using OpenedPtr = std::unique_ptr<Opened>;

	/// Vault closes idle connections at 300 s: ours are closed earlier.
	static constexpr auto longestIdle = std::chrono::seconds(90);
	static constexpr auto lookInterval = std::chrono::seconds(10);
	static constexpr auto longestLife = std::chrono::minutes(15); ///< less a tenth at random
	/// A connection used so short a time ago is not polled for a close: the FIN could not have arrived yet.
	static constexpr auto fresh = std::chrono::milliseconds(1);

	/// A place, for as long as a reference to it exists. Immutable once it is handed out.
	struct Place
	{
		Address address;              ///< without prefix
		std::optional<Address> proxy; ///< the proxy between this process and it
		std::optional<Places::PlaceId> id;
		bool isNamed = false; ///< its host, or the proxy's, has to be resolved

		[[nodiscard]] const Address& target() const noexcept { return proxy ? *proxy : address; }
	};
	using PlaceRef = std::shared_ptr<const Place>;
	/// The number of an identity, valid for as long as a reference to it exists.
	using IdentityRef = std::shared_ptr<const Places::Identity>;

	/// `scheduler` and `clock` are for the looks, and are used until stopLooking(); null: a look is taken when a
	/// connection is kept.
	Pool(runtime::Scheduler* scheduler, const runtime::Clock* clock);

	/// Stops using the scheduler: from now on a look is taken when a connection is kept. Not to be called on one of its
	/// threads.
	void stopLooking() noexcept;

	/// Returns where requests for `address` go, through `proxy` if there is one. The prefix does not count.
	[[nodiscard]] PlaceRef place(const Address& address, const std::optional<Address>& proxy);
	[[nodiscard]] IdentityRef newIdentity();

	/// A kept connection to use, as the next step.
	struct Kept
	{
		OpenedPtr opened;
		Duration patience; ///< for the first byte of the reply
	};
	/// Places::Dial with the addresses to connect to.
	struct Dial
	{
		std::vector<Places::EndpointId> order;
		std::vector<SocketAddress> addresses;
		Deadline until;
	};
	struct Resolve
	{
		Places::PlaceId place;
		Deadline until;
	};
	using Step = std::variant<Kept, Resolve, Dial, Places::GiveUp>;

	[[nodiscard]] static Places::Attempt begin(
		std::span<const Places::PlaceId> places, Places::Identity identity, Deadline deadline, bool repeatable);

	/// Returns the next step of an attempt. `generation`: the current one of its identity.
	[[nodiscard]] Step next(Places::Attempt& attempt, unsigned generation);

	/// Tell Places the result of a step; connections that it gives up are closed. @{
	void resolved(Places::Attempt& attempt, const Place& place, const Resolver::Found& found);
	void resolverIsSlow(Places::Attempt& attempt, Places::PlaceId place);
	void dialFailed(Places::Attempt& attempt, Places::EndpointId endpoint);
	void handshakeFailed(Places::Attempt& attempt, Places::EndpointId endpoint);
	[[nodiscard]] Deadline openBy(const Places::Attempt& attempt);
	[[nodiscard]] OpenedPtr opened(
		const Places::Attempt& attempt, Places::EndpointId endpoint, std::unique_ptr<Connection> connection);
	void keptClosed(Places::Attempt& attempt) { attempt.mayReuse = false; }
	void keptSilent(Places::Attempt& attempt, Places::EndpointId endpoint);
	void badReply(Places::EndpointId endpoint);
	/// Keeps `connection` if there is one. Returns whether the place's name is in trouble, see Places.
	[[nodiscard]] bool goodReply(
		const Places::Attempt& attempt, Places::EndpointId endpoint, Duration firstByteAfter, OpenedPtr connection);
	/// @}

	/// Closes the oldest connections, because the process has no descriptor left. Returns false if none is kept.
	[[nodiscard]] bool giveUpDescriptors();

	/// Returns the one of `places` that an attempt would begin with.
	[[nodiscard]] Places::PlaceId first(std::span<const Places::PlaceId> places, Places::Identity identity) const;

	/// Closes connections that have been idle for long, that the server has closed, or that are too many.
	void look();

	[[nodiscard]] std::size_t idle() const;

private:
	using Table = transport::Kept<std::unique_ptr<Connection>>;
	using PlaceKey = std::pair<Address, std::optional<Address>>;

	class Looks final : public runtime::Job
	{
	public:
		explicit Looks(Pool& pool) : _pool(pool) {}
		[[nodiscard]] std::optional<Wait> run(Wake) noexcept override;

	private:
		Pool& _pool;
	};

	[[nodiscard]] static Instant now();
	void forget(const Place& place) noexcept;
	void forget(Places::Identity identity) noexcept;
	void keep(OpenedPtr connection, Instant now, Table::Some& closed) noexcept;
	void lookLater() noexcept;

	Looks _looks{*this};
	const runtime::Clock* const _clock;

	mutable std::mutex _mutex; ///< guards all below; connections are closed without it
	std::map<PlaceKey, std::weak_ptr<const Place>> _known;
	Places _places;
	Table _kept;
	Places::Identity _lastIdentity = 0;
	std::uint32_t _rngState = 1;
	std::size_t _most = 0;          ///< most connections that may be kept
	runtime::Scheduler* _scheduler; ///< null: none, or stopLooking() was called
	bool _willLook = false;
	Instant _lookAt; ///< without a scheduler: time of the next look
};

} // namespace issuer::vault::transport
