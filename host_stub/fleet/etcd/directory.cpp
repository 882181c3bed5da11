#include "fleet/etcd/directory.h"

#include <issuer/kit/signals_blocked.h>

#include <exception>
#include <system_error>
#include <utility>

namespace issuer::fleet::etcd {

Result<std::unique_ptr<EtcdDirectory>> EtcdDirectory::create(Settings settings, Listener listener)
{
	auto client = Client::create(settings);
	if (!client) {
		return tl::unexpected(client.error());
	}
	try {
		return std::unique_ptr<EtcdDirectory>(
			new EtcdDirectory(std::move(settings), std::move(listener), std::move(*client)));
	}
	catch (const std::system_error& error) {
		return passingFailure(std::string("no thread can be had: ") + error.what());
	}
}

EtcdDirectory::EtcdDirectory(Settings settings, Listener listener, std::unique_ptr<Client> client)
	: _settings(std::move(settings)), _keys(_settings.fleet), _listener(std::move(listener)), _client(std::move(client))
{
	const kit::SignalsBlocked blocked;
	_thread = std::thread([this] { run(); });
}

EtcdDirectory::~EtcdDirectory()
{
	_loop.stop();
	if (_thread.joinable()) {
		_thread.join();
	}
}

void EtcdDirectory::run()
{
	while (!runTasks() && _loop.pause(_settings.takeover / 5)) {
	}
	const std::lock_guard lock(_mutex);
	_hasEnded = true;
	_ended.notify_all();
}

/// Begins the tasks and runs them to their end. Returns false when one failed: for want of memory, or because of a
/// reply that no code expected. It is unknown then how much of its work is done, so all begin again as if just created,
/// and the host joins again: that tells and writes everything anew.
bool EtcdDirectory::runTasks() noexcept
try {
	_loop.end(Slot::watching);
	if (!_isSilent) {
		if (_hasFailed) {
			_isRecordOnItsWay = false;
			const std::lock_guard lock(_mutex);
			_isNewSelf = !_askedSelf.name.empty();
		}
		_loop.begin(Slot::leasing, keepLease());
		_loop.begin(Slot::writing, writeWaiting());
		_loop.begin(Slot::reading, readAsked());
	}
	_loop.begin(Slot::leaving, sayGoodbye());
	_loop.run();
	return true;
}
catch (const std::exception& error) {
	_hasFailed = true;
	tellFailure(error.what());
	return false;
}

/// Tells that a task failed, as far as that can be told now. Until the host has joined again the engine is as if away.
void EtcdDirectory::tellFailure(const char* why) noexcept
try {
	tell(Away{std::string("this host failed in its talk with etcd: ") + why});
}
catch (const std::exception&) { // no memory for that either
}

void EtcdDirectory::tell(Fact fact)
{
	if (!_isSilent) {
		_listener(std::move(fact));
	}
}

WallTime EtcdDirectory::wallNow() const
{
	return _settings.wall ? _settings.wall()
						  : std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

void EtcdDirectory::join(Self self, const ListDigests& lists)
{
	const std::lock_guard lock(_mutex);
	_askedSelf = std::move(self);
	_askedLists = lists;
	_isNewSelf = true;
	_leaseBell.ring();
}

void EtcdDirectory::setRecord(const ShardSet& kept, const ListDigests& lists)
{
	const std::lock_guard lock(_mutex);
	_askedLists = lists;
	_queue.record({kept, lists});
	_writeBell.ring();
}

void EtcdDirectory::write(std::vector<State> states)
{
	const std::lock_guard lock(_mutex);
	for (auto& state : states) {
		_queue.put(std::move(state));
	}
	_writeBell.ring();
}

void EtcdDirectory::remove(std::vector<StateName> names)
{
	const std::lock_guard lock(_mutex);
	for (auto& name : names) {
		_queue.remove(std::move(name));
	}
	_writeBell.ring();
}

void EtcdDirectory::read(std::vector<Shard> shards)
{
	const std::lock_guard lock(_mutex);
	_shards.insert(_shards.end(), shards.begin(), shards.end());
	_readBell.ring();
}

void EtcdDirectory::pulse(std::string text)
{
	const std::lock_guard lock(_mutex);
	_pulse = std::move(text);
	_writeBell.ring();
}

void EtcdDirectory::readPulses(std::function<void(Pulses)> take)
{
	const std::lock_guard lock(_mutex);
	_pulseReaders.emplace_back(std::move(take));
	_readBell.ring();
}

void EtcdDirectory::leave(milliseconds limit)
{
	{
		std::unique_lock lock(_mutex);
		_leaveUntil = within(limit);
		_leaveBell.ring();
		_ended.wait_until(lock, *_leaveUntil, [this] { return _hasEnded; });
	}
	_loop.stop();
	if (_thread.joinable()) {
		_thread.join();
	}
}

/// Waits until leave() is called, then does what it promises in the place of all other tasks.
vault::Task<> EtcdDirectory::sayGoodbye()
{
	co_await _leaveBell.rings();
	_isSilent = true;
	_loop.end(Slot::leasing);
	_loop.end(Slot::watching);
	_loop.end(Slot::writing);
	_loop.end(Slot::reading);
	Client::Deadline deadline;
	std::deque<PulseAnswer> unanswered; // each gets an empty one, outside the lock
	{
		const std::lock_guard lock(_mutex);
		unanswered.swap(_pulseReaders);
		deadline = _leaveUntil.value_or(Clock::now());
		_queue.failed(); // on their way, perhaps not written
		_queue.forgetRecord();
	}
	if (_lease == 0) {
		co_return;
	}
	constexpr auto pause = std::chrono::milliseconds(20);
	for (bool hasMore = true; hasMore && Clock::now() < deadline;) {
		const bool written = co_await writeSome(deadline);
		if (!written) {
			co_await vault::Wait{-1, 0, pause};
		}
		const std::lock_guard lock(_mutex);
		hasMore = !_queue.isEmpty();
	}
	// The record, the list and the pulse go with the lease; another process's of this name stay.
	while (Clock::now() < deadline) {
		const auto left = co_await _client->call("lease/revoke", leaseRequest(_lease), deadline);
		if (left || left.error().kind == Trouble::Kind::leaseGone) {
			co_return;
		}
		co_await vault::Wait{-1, 0, pause};
	}
}

} // namespace issuer::fleet::etcd
