#include "fleet/etcd/directory.h"
#include "fleet/etcd/values.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

/// EtcdDirectory: its writes and reads.
namespace issuer::fleet::etcd {

namespace {

constexpr auto gatherFor = std::chrono::milliseconds(100); ///< states of this time share a transaction
constexpr auto pulseLasts = std::chrono::seconds(5);       ///< least time between two pulses
constexpr std::size_t statesATime = 4000;                  ///< states that one read is to bring, about 4 MiB of JSON

template <class... Cases>
struct Overloaded : Cases...
{
	using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

} // namespace

/// Does the writes that wait, in transactions.
vault::Task<> EtcdDirectory::writeWaiting()
{
	for (;;) {
		co_await _writeBell.rings(untilPulse());
		_writeBell.clear();
		for (bool isAgain = false; _lease != 0;) {
			std::size_t waiting = 0;
			bool isUrgent = false;
			{
				const std::lock_guard lock(_mutex);
				waiting = _queue.size();
				isUrgent = waiting >= mostOperations || _queue.hasRecord();
			}
			if (waiting == 0) {
				break;
			}
			if (!isUrgent && !isAgain) {
				co_await vault::Wait{-1, 0, gatherFor};
			}
			isAgain = true;
			const bool written = co_await writeSome(within(std::max(_settings.takeover / 2, milliseconds(1000))));
			if (!written) {
				co_await vault::Wait{-1, 0, _settings.takeover / 5};
			}
		}
		co_await writePulse();
	}
}

/// Does the first of the writes that wait, in one transaction. Returns false if etcd did not.
vault::Task<bool> EtcdDirectory::writeSome(Client::Deadline deadline)
{
	std::optional<Record> record;
	std::string request;
	{
		const std::lock_guard lock(_mutex);
		const auto& writes = _queue.take(mostOperations - 1); // a record takes two
		if (writes.empty()) {
			co_return true;
		}
		request = transactionOf(writes, record);
	}
	const auto lease = _lease;
	_isRecordOnItsWay = record.has_value();
	const auto done = co_await _client->call("kv/txn", std::move(request), deadline);
	_isRecordOnItsWay = false;
	{
		const std::lock_guard lock(_mutex);
		if (done) {
			_queue.done();
		}
		else {
			_queue.failed();
		}
	}
	if (!done) {
		if (done.error().kind != Trouble::Kind::away) { // keepalives tell whether etcd is away
			noteTrouble(done.error());
		}
		co_return false;
	}
	noteWritten();
	if (record && lease == _lease) {
		_record = *record;
		_recordPutAt = Clock::now();
		_recordRevision = revisionOf(**done);
		checkName();
	}
	co_return true;
}

/// Returns the text of a transaction, and sets the record if it holds it.
std::string EtcdDirectory::transactionOf(const std::vector<Queue::Write>& writes, std::optional<Record>& record)
{
	std::vector<std::string> operations;
	operations.reserve(writes.size() + 1);
	for (const auto& write : writes) {
		std::visit(Overloaded{[&](const State& state) {
								  operations.push_back(putOperation(_keys.state(state.name), stateText(state)));
							  },
					   [&](const StateName& name) { operations.push_back(deleteOperation(_keys.state(name))); },
					   [&](const Record& own) {
						   operations.push_back(putOperation(_keys.list(_self->name), listsText(own.lists), _lease));
						   operations.push_back(
							   putOperation(_keys.member(_self->name), recordText(recordOf(own.kept)), _lease));
						   record = own;
					   }},
			write);
	}
	return transaction(operations);
}

/// Returns how long a pulse is to wait yet; for ever: none waits.
vault::Duration EtcdDirectory::untilPulse()
{
	const std::lock_guard lock(_mutex);
	if (_lease == 0 || !_pulse) {
		return vault::Duration::max();
	}
	const auto left = std::chrono::ceil<vault::Duration>(_pulsePutAt + pulseLasts - Clock::now());
	return std::max(left, vault::Duration(0));
}

/// Puts the pulse if one waits and its time has come. One that etcd does not take waits for the next time, unless a
/// newer one has come.
vault::Task<> EtcdDirectory::writePulse()
{
	std::optional<std::string> text;
	if (_lease != 0 && Clock::now() - _pulsePutAt >= pulseLasts) {
		const std::lock_guard lock(_mutex);
		text = std::exchange(_pulse, std::nullopt);
	}
	if (text) {
		_pulsePutAt = Clock::now();
		auto request = transaction(std::vector(1, putOperation(_keys.pulse(_self->name), *text, _lease)));
		const auto put = co_await _client->call("kv/txn", std::move(request), within(_settings.takeover / 5));
		const std::lock_guard lock(_mutex);
		if (!put && !_pulse) {
			_pulse = std::move(text);
		}
	}
}

/// Reads the shards and pulses that are asked for.
vault::Task<> EtcdDirectory::readAsked()
{
	for (;;) {
		auto shards = takeShards();
		PulseAnswer pulses;
		{
			const std::lock_guard lock(_mutex);
			if (!_pulseReaders.empty()) {
				pulses = std::move(_pulseReaders.front());
				_pulseReaders.pop_front();
			}
		}
		if (shards.empty() && !pulses) {
			co_await _readBell.rings();
			_readBell.clear();
			continue;
		}
		if (!shards.empty()) {
			co_await readShards(std::move(shards));
		}
		if (pulses) {
			co_await readAllPulses(std::move(pulses));
		}
	}
}

/// Takes the next shards to read at once.
std::vector<Shard> EtcdDirectory::takeShards()
{
	const std::lock_guard lock(_mutex);
	std::vector<Shard> shards;
	while (!_shards.empty() && shards.size() < _shardsATime) {
		shards.push_back(_shards.front());
		_shards.pop_front();
	}
	return shards;
}

vault::Task<> EtcdDirectory::readShards(std::vector<Shard> shards)
{
	std::vector<std::string> operations;
	operations.reserve(shards.size());
	for (const Shard shard : shards) {
		operations.push_back(rangeOperation(_keys.states(shard)));
	}
	const auto reply = co_await _client->call("kv/txn", transaction(operations), within(_settings.takeover));
	if (!reply) {
		tell(ReadFailed{std::move(shards)});
		co_return;
	}
	StatesRead read;
	read.shards = std::move(shards);
	eachKey(**reply, [&](const KeyValue& key) {
		auto name = _keys.stateOf(key.key);
		auto state = name ? stateFrom(std::move(*name), key.value) : std::nullopt;
		if (state) {
			read.states.push_back(std::move(*state));
		}
	});
	// As many shards at a time as bring a reply of moderate size.
	const auto each = read.states.size() / read.shards.size() + 1;
	_shardsATime = std::clamp<std::size_t>(statesATime / each, 1, mostOperations);
	tell(std::move(read));
}

vault::Task<> EtcdDirectory::readAllPulses(PulseAnswer answer)
{
	const auto reply = co_await _client->call(
		"kv/txn", transaction(std::vector(1, rangeOperation(_keys.pulses()))), within(_settings.takeover / 2));
	Pulses pulses;
	if (reply) {
		eachKey(**reply, [&](KeyValue key) {
			if (auto member = Keys::nameIn(_keys.pulses(), key.key)) {
				pulses.emplace_back(std::move(*member), std::move(key.value));
			}
		});
	}
	answer.give(std::move(pulses));
}

} // namespace issuer::fleet::etcd
