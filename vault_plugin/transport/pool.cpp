#include "transport/pool.h"

#include <algorithm>
#include <new>
#include <sys/resource.h>
#include <utility>

namespace issuer::vault::transport {
namespace {

constexpr std::size_t leastKept = 16;
/// Each takes 25 KiB over TLS.
constexpr std::size_t mostKept = 1024;
/// Most connections that are checked under one lock, which takes some ten microseconds.
constexpr std::size_t looksAtOnce = 64;

/// Returns a quarter of the descriptors that the process may have now.
std::size_t descriptorShare()
{
	rlimit limit{};
	const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
	return known ? std::clamp<std::size_t>(limit.rlim_cur / 4, leastKept, mostKept) : mostKept;
}

// Converts a time of Places into a deadline: both are of one clock, and only their types differ.
Deadline deadlineOf(Instant instant)
{
	return Deadline(instant.time_since_epoch());
}

Instant instantOf(Deadline deadline)
{
	return Instant(std::chrono::duration_cast<Duration>(deadline.time_since_epoch()));
}

} // namespace

Instant Pool::now()
{
	return instantOf(Clock::now());
}

Pool::Pool(runtime::Scheduler* scheduler, const runtime::Clock* clock)
	: _clock(clock), _most(descriptorShare()), _scheduler(scheduler)
{
}

void Pool::stopLooking() noexcept
{
	runtime::Scheduler* scheduler = nullptr;
	{
		const std::lock_guard lock(_mutex);
		scheduler = std::exchange(_scheduler, nullptr);
		_willLook = false;
	}
	if (scheduler != nullptr) {
		while (!scheduler->halt(_looks, std::chrono::seconds(10))) { // a look does not block
		}
	}
}

Pool::PlaceRef Pool::place(const Address& address, const std::optional<Address>& proxy)
{
	// Created outside the lock, which its destructor takes.
	const std::shared_ptr<Place> made(new Place, [pool = shared_from_this()](const Place* gone) {
		pool->forget(*gone);
		delete gone;
	});
	made->address = address;
	made->address.prefix.clear();
	made->proxy = proxy;
	std::vector<std::string> fixed;
	if (made->target().scheme == Address::Scheme::unixSocket) {
		fixed.push_back(SocketAddress::ofUnixSocket(made->target().socketPath).bytes());
	}
	else if (const auto numeric = numericAddresses(made->target().host); !numeric.empty()) {
		fixed = inOrder(numeric, made->target().port);
	}
	made->isNamed = fixed.empty();

	const std::lock_guard lock(_mutex);
	auto& known = _known[{made->address, made->proxy}];
	if (auto place = known.lock()) {
		return place;
	}
	made->id = made->isNamed ? _places.addNamed() : _places.addFixed(fixed);
	known = made;
	return made;
}

/// Removes a place that no reference is left to.
void Pool::forget(const Place& place) noexcept
{
	if (!place.id) {
		return; // it was never handed out
	}
	Table::Some closed;
	const std::lock_guard lock(_mutex);
	try {
		for (const auto endpoint : _places.endpoints(*place.id)) {
			_kept.dropEndpoint(endpoint, closed);
		}
		const auto known = _known.find({place.address, place.proxy});
		if (known != _known.end() && known->second.expired()) { // otherwise it has been made anew meanwhile
			_known.erase(known);
		}
	}
	catch (const std::bad_alloc&) {
		// Out of memory: its connections are closed by age.
	}
	_places.remove(*place.id);
}

Pool::IdentityRef Pool::newIdentity()
{
	const std::shared_ptr<Places::Identity> number(
		new Places::Identity(0), [pool = shared_from_this()](const Places::Identity* gone) {
			pool->forget(*gone);
			delete gone;
		});
	const std::lock_guard lock(_mutex);
	*number = ++_lastIdentity;
	return number;
}

void Pool::forget(Places::Identity identity) noexcept
{
	Table::Some closed;
	const std::lock_guard lock(_mutex);
	try {
		_kept.dropIdentity(identity, closed);
	}
	catch (const std::bad_alloc&) {
		// Out of memory: its connections are closed by age.
	}
}

Places::Attempt Pool::begin(
	std::span<const Places::PlaceId> places, Places::Identity identity, Deadline deadline, bool repeatable)
{
	return Places::begin(places, identity, instantOf(deadline), repeatable);
}

Pool::Step Pool::next(Places::Attempt& attempt, unsigned generation)
{
	for (;;) {
		Table::Some closed; // destroyed on return, after the lock has been released
		std::unique_lock lock(_mutex);
		const auto now = Pool::now();
		auto step = _places.next(attempt, now);
		if (const auto* reuse = std::get_if<Places::Reuse>(&step)) {
			auto opened = _kept.take({reuse->endpoint, attempt.identity}, generation, closed);
			if (!opened) {
				_places.nothingKept(attempt, reuse->endpoint);
				continue;
			}
			lock.unlock();
			const auto idle = now - opened->since;
			const bool isYoung = idle <= longestIdle && now < opened->retires;
			const bool isFit = isYoung && (idle < fresh || opened->connection->isQuiet());
			if (isFit) {
				return Kept{std::move(opened), reuse->patience};
			}
		}
		else if (auto* dial = std::get_if<Places::Dial>(&step)) {
			Dial result{std::move(dial->order), {}, deadlineOf(dial->until)};
			result.addresses.reserve(result.order.size());
			for (const auto endpoint : result.order) {
				result.addresses.push_back(SocketAddress::from(*_places.address(endpoint)));
			}
			return result;
		}
		else if (const auto* resolve = std::get_if<Places::Resolve>(&step)) {
			return Resolve{resolve->place, deadlineOf(resolve->until)};
		}
		else {
			return Places::GiveUp{};
		}
	}
}

void Pool::resolved(Places::Attempt& attempt, const Place& place, const Resolver::Found& found)
{
	const auto addresses = inOrder(found.addresses, place.target().port);
	Table::Some closed;
	const std::lock_guard lock(_mutex);
	if (addresses.empty()) {
		_places.resolverFailed(attempt, *place.id, now());
		return;
	}
	for (const auto endpoint : _places.resolved(attempt, *place.id, addresses, now())) {
		_kept.dropEndpoint(endpoint, closed);
	}
}

void Pool::resolverIsSlow(Places::Attempt& attempt, Places::PlaceId place)
{
	const std::lock_guard lock(_mutex);
	_places.resolverIsSlow(attempt, place, now());
}

void Pool::dialFailed(Places::Attempt& attempt, Places::EndpointId endpoint)
{
	const std::lock_guard lock(_mutex);
	_places.dialFailed(attempt, endpoint, now());
}

void Pool::handshakeFailed(Places::Attempt& attempt, Places::EndpointId endpoint)
{
	const std::lock_guard lock(_mutex);
	_places.handshakeFailed(attempt, endpoint, now());
}

Deadline Pool::openBy(const Places::Attempt& attempt)
{
	const std::lock_guard lock(_mutex);
	return deadlineOf(_places.openBy(attempt, now()));
}

Pool::OpenedPtr Pool::opened(
	const Places::Attempt& attempt, Places::EndpointId endpoint, std::unique_ptr<Connection> connection)
{
	auto opened = std::make_unique<Opened>();
	opened->way = {endpoint, attempt.identity};
	opened->generation = connection->generation();
	opened->connection = std::move(connection);
	const std::lock_guard lock(_mutex);
	_rngState = _rngState * 1664525 + 1013904223; // Numerical Recipes; enough to keep a fleet from dialling all at once
	opened->retires = now() + longestLife - Duration(longestLife) / 10 * (_rngState >> 16U) / 0xffff;
	return opened;
}

void Pool::keptSilent(Places::Attempt& attempt, Places::EndpointId endpoint)
{
	Table::Some closed;
	const std::lock_guard lock(_mutex);
	if (_places.keptSilent(attempt, endpoint, now())) {
		_kept.dropEndpoint(endpoint, closed);
	}
}

void Pool::badReply(Places::EndpointId endpoint)
{
	Table::Some closed;
	const std::lock_guard lock(_mutex);
	if (_places.badReply(endpoint, now())) {
		_kept.dropEndpoint(endpoint, closed);
	}
}

bool Pool::goodReply(
	const Places::Attempt& attempt, Places::EndpointId endpoint, Duration firstByteAfter, OpenedPtr connection)
{
	Table::Some closed;
	bool mustLook = false;
	bool inTrouble = false;
	{
		const std::lock_guard lock(_mutex);
		const auto now = Pool::now();
		_places.goodReply(attempt, endpoint, firstByteAfter, now);
		inTrouble = _places.isNameInTrouble(endpoint.place);
		if (connection && _places.address(endpoint) != nullptr) {
			keep(std::move(connection), now, closed);
			mustLook = _scheduler == nullptr && now >= _lookAt;
		}
	}
	if (mustLook) {
		look();
	}
	return inTrouble;
}

/// Keeps a connection. Called under the lock.
void Pool::keep(OpenedPtr connection, Instant now, Table::Some& closed) noexcept
{
	try {
		if (_kept.size() >= _most) {
			_kept.dropOldest(1, closed);
		}
		_kept.keep(std::move(connection), now, closed);
		if (_scheduler != nullptr && !_willLook) {
			lookLater();
		}
	}
	catch (const std::bad_alloc&) {
		// Out of memory: it is closed.
	}
}

bool Pool::giveUpDescriptors()
{
	Table::Some closed;
	const std::lock_guard lock(_mutex);
	_most = descriptorShare();
	_kept.dropOldest(std::max<std::size_t>(_kept.size() / 4, 8), closed);
	return !closed.empty();
}

Places::PlaceId Pool::first(std::span<const Places::PlaceId> places, Places::Identity identity) const
{
	const std::lock_guard lock(_mutex);
	return _places.first(places, identity);
}

/// Arms the next look. Called under the lock, so that nothing is armed after stopLooking().
void Pool::lookLater() noexcept
{
	try {
		_scheduler->arm(_looks, _clock->boot() + lookInterval, Instant::max());
		_willLook = true;
	}
	catch (const std::bad_alloc&) {
		_willLook = false; // the next connection that is kept tries again
	}
}

void Pool::look()
{
	const auto isFit = [](const Opened& idle) { return idle.connection->isQuiet(); };
	for (auto after = Instant::min(); after != Instant::max();) {
		Table::Some closed;
		const std::lock_guard lock(_mutex);
		if (after == Instant::min()) {
			_lookAt = now() + lookInterval;
			_most = descriptorShare();
			_kept.dropOldest(_kept.size(), now() - longestIdle, closed);
			_kept.dropOldest(_kept.size() - std::min(_most, _kept.size()), closed);
		}
		after = _kept.dropUnfit(after, looksAtOnce, isFit, closed);
		if (after == Instant::max()) {
			_kept.tidy();
		}
	}
}

std::size_t Pool::idle() const
{
	const std::lock_guard lock(_mutex);
	return _kept.size();
}

std::optional<Wait> Pool::Looks::run(Wake) noexcept
{
	try {
		_pool.look();
	}
	catch (const std::bad_alloc&) {
		// Out of memory: the next look finds the same connections.
	}
	const std::lock_guard lock(_pool._mutex);
	_pool._willLook = false;
	if (_pool._scheduler != nullptr && _pool._kept.size() > 0) {
		_pool.lookLater();
	}
	return std::nullopt;
}

} // namespace issuer::vault::transport
