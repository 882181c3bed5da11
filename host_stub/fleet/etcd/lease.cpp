#include "common/boot_time.h"
#include "fleet/etcd/directory.h"
#include "fleet/etcd/values.h"

#include <algorithm>
#include <chrono>
#include <utility>

/// EtcdDirectory: the lease, and what depends on it.
namespace issuer::fleet::etcd {

namespace {

using Kind = Trouble::Kind;
using std::chrono::ceil;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr auto joinLimit = seconds(2); ///< at the start: files, a handshake and an authentication take their time

} // namespace

/// Has a lease granted as soon as join() was called, and keeps it alive.
vault::Task<> EtcdDirectory::keepLease()
{
	for (;;) {
		if (isNewSelf() || (_self && _lease == 0)) {
			ListDigests lists;
			{
				const std::lock_guard lock(_mutex);
				_self = _askedSelf;
				lists = _askedLists;
			}
			const auto self = *_self;
			co_await joinAs(self, lists);
		}
		else if (_lease != 0) {
			co_await keepAlive();
		}
		// After a failure the next endpoint is asked at once, as long as there is one that was not.
		const bool isNextDue = _failures > 0 && _failures % _client->endpoints() != 0;
		const auto next = _askedAt + _settings.takeover / 5;
		const auto pause = std::max<Clock::duration>(next - Clock::now(), std::chrono::milliseconds(isNextDue ? 0 : 1));
		if (!_self) {
			co_await _leaseBell.rings();
		}
		else if (!isNextDue) {
			co_await _leaseBell.rings(ceil<vault::Duration>(pause));
		}
		_leaseBell.clear();
	}
}

/// Returns whether join() was called since this was last asked. A trouble that lasts is then told again.
bool EtcdDirectory::isNewSelf()
{
	const std::lock_guard lock(_mutex);
	if (!std::exchange(_isNewSelf, false)) {
		return false;
	}
	_isAwayTold = _isRefusalTold = false;
	return true;
}

MemberRecord EtcdDirectory::recordOf(const ShardSet& kept) const
{
	return {_self->name, _self->run, _self->url, _self->version, wallNow(), kept};
}

/// Has a lease granted and puts list and record under it.
vault::Task<> EtcdDirectory::joinAs(Self self, const ListDigests& lists)
{
	if (_lease != 0) { // of another name: its keys go, those of the process that has the name now stay
		loseLease();
		_loop.end(Slot::watching);
	}
	_askedAt = Clock::now();
	const Instant asked(sinceBoot());
	const auto limit = std::max<milliseconds>(_settings.takeover / 5, joinLimit);
	const auto granted =
		co_await _client->call("lease/grant", grantRequest(ceil<seconds>(_settings.takeover).count()), within(limit));
	const auto lease = granted ? numberIn(**granted, "ID") : std::nullopt;
	if (!lease) {
		noteTrouble(granted ? Trouble{Kind::away, "etcd granted a lease without an id"} : granted.error());
		co_return;
	}
	auto put = transaction(putOperation(_keys.list(self.name), listsText(lists), *lease),
		putOperation(_keys.member(self.name), recordText(recordOf(ShardSet())), *lease));
	const auto done = co_await _client->call("kv/txn", std::move(put), within(limit));
	if (!done) {
		noteTrouble(done.error());
		co_return;
	}
	_lease = *lease;
	_record = Record{ShardSet(), lists};
	_recordPutAt = Clock::now();
	_recordRevision = revisionOf(**done);
	noteAnswered(asked);
	noteWritten();
	tell(Joined{});
	_members.clear();
	_watchBegunAt = Clock::now();
	_loop.begin(Slot::watching, watch());
	_writeBell.ring();
}

vault::Task<> EtcdDirectory::keepAlive()
{
	_askedAt = Clock::now();
	const Instant asked(sinceBoot());
	const auto answer = co_await _client->call("lease/keepalive", leaseRequest(_lease), within(_settings.takeover / 5));
	if (!answer) {
		noteTrouble(answer.error());
		co_return;
	}
	const auto result = objectIn(**answer, "result");
	if (const auto error = objectIn(**answer, "error"); error || !result) {
		noteTrouble({Kind::away, "etcd answered a keepalive with an error"});
		co_return;
	}
	if (numberIn(*result, "TTL").value_or(0) <= 0) { // the only sign of a lease that is gone
		loseLease();
		_askedAt = {}; // joins at once
		co_return;
	}
	noteAnswered(asked);
	lookAfterWatch();
}

/// Begins the watch anew when it may hang, and puts the record again when its time has come.
void EtcdDirectory::lookAfterWatch()
{
	const auto now = Clock::now();
	// The own record must be seen as every other change is.
	const bool hangs = _watchedTo < _recordRevision && now - _recordPutAt > _settings.takeover;
	if ((hangs && now - _watchBegunAt > _settings.takeover) || now - _watchBegunAt > _settings.watchLasts) {
		_watchBegunAt = now;
		_loop.begin(Slot::watching, watch());
	}
	if (now - _recordPutAt > _settings.recordLasts) {
		const std::lock_guard lock(_mutex);
		if (!_queue.hasRecord() && !_isRecordOnItsWay) {
			_queue.record(_record);
			_writeBell.ring();
		}
	}
}

void EtcdDirectory::noteAnswered(Instant asked)
{
	const bool wentElsewhere = std::exchange(_resends, _client->resends()) != _client->resends();
	if ((_failures > 0 || wentElsewhere) && _lease != 0) { // the watch may go to the endpoint that failed
		_watchBegunAt = Clock::now();
		_loop.begin(Slot::watching, watch());
	}
	_failures = 0;
	_isAwayTold = false;
	tell(Answered{asked});
}

/// Tells a trouble that lasts, once.
void EtcdDirectory::noteTrouble(const Trouble& trouble)
{
	switch (trouble.kind) {
	case Kind::away:
		if (++_failures >= _client->endpoints() && !std::exchange(_isAwayTold, true)) {
			tell(Away{trouble.text});
		}
		return;
	case Kind::full:
	case Kind::denied:
		if (!std::exchange(_isRefusalTold, true)) {
			tell(WritesRefused{trouble.text});
		}
		return;
	case Kind::leaseGone:
		_leaseBell.ring(); // a keepalive decides
		_askedAt = {};
		return;
	case Kind::cancelled:
		return;
	}
}

void EtcdDirectory::noteWritten()
{
	if (std::exchange(_isRefusalTold, false)) {
		tell(WritesAccepted{});
	}
}

/// Forgets the lease and all that waits for it.
void EtcdDirectory::loseLease()
{
	_lease = 0;
	{
		const std::lock_guard lock(_mutex);
		_queue.clear();
	}
	tell(LeaseLost{});
}

} // namespace issuer::fleet::etcd
