#include "common/text.h"
#include "fleet/etcd/directory.h"
#include "fleet/etcd/troubles.h"
#include "fleet/etcd/values.h"

#include <algorithm>
#include <chrono>
#include <utility>

/// EtcdDirectory: the members, listed and then watched.
namespace issuer::fleet::etcd {

namespace {

using Kind = Trouble::Kind;

constexpr auto streamLasts = std::chrono::minutes(10); ///< longer than any watch
constexpr auto restartPause = std::chrono::milliseconds(200);

} // namespace

/// Lists the members and watches from there on, again whenever the watch ends.
vault::Task<> EtcdDirectory::watch()
{
	const Client::Line line = [this](const Json& result) { return takeWatched(result); };
	for (;;) {
		auto listed = co_await listMembers();
		if (listed) {
			auto request = watchRequest(_keys.members(), _keys.lists(), *listed + 1);
			const auto why = co_await _client->stream("watch", std::move(request), line, within(streamLasts));
			listed = tl::unexpected(why);
		}
		const auto kind = listed.error().kind;
		if (kind == Kind::denied && !wantsAuthentication(listed.error())) {
			noteTrouble(listed.error());
		}
		const auto pause = kind == Kind::denied ? _settings.takeover / 5
												: std::min<milliseconds>(restartPause, _settings.takeover / 5);
		co_await vault::Wait{-1, 0, pause};
	}
}

/// Lists the members, tells them, and returns the revision of the list.
vault::Task<Answer<Revision>> EtcdDirectory::listMembers()
{
	const auto request = transaction(rangeOperation(_keys.members()), rangeOperation(_keys.lists()));
	const auto reply = co_await _client->call("kv/txn", request, within(_settings.takeover / 2));
	if (!reply) {
		co_return tl::unexpected(reply.error());
	}
	const auto revision = revisionOf(**reply);
	if (revision <= 0) {
		co_return tl::unexpected(Trouble{Kind::away, "etcd listed the members without a revision"});
	}
	_members.clear();
	eachKey(**reply, [this](const KeyValue& key) { store(key); });
	MembersListed listed;
	for (const auto& [name, seen] : _members) {
		if (seen.record) {
			listed.members.push_back({*seen.record, seen.lists});
		}
	}
	_watchedTo = std::max(_watchedTo, revision);
	tell(std::move(listed));
	checkName();
	co_return revision;
}

/// Stores a record or a list that was listed or put.
void EtcdDirectory::store(const KeyValue& key)
{
	if (auto member = Keys::nameIn(_keys.members(), key.key)) {
		if (auto record = recordFrom(*member, key.value)) {
			auto& seen = _members[*member];
			seen.record = std::move(*record);
			seen.recordRevision = key.revision;
		}
	}
	else if (auto lister = Keys::nameIn(_keys.lists(), key.key)) {
		if (const auto lists = listsFrom(key.value)) {
			_members[*lister].lists = *lists;
		}
	}
}

/// Takes one object of the watch.
Answer<void> EtcdDirectory::takeWatched(const Json& result)
{
	if (isTrueIn(result, "canceled")) {
		const auto compacted = numberIn(result, "compact_revision").value_or(0);
		if (compacted > 0) {
			return tl::unexpected(Trouble{Kind::away, "etcd has compacted the changes that the watch had not seen"});
		}
		// The reason of one that is not permitted has no code.
		const auto reason = textIn(result, "cancel_reason").value_or("no reason");
		return tl::unexpected(
			Trouble{Kind::denied, "etcd refuses to watch the members: «" + sanitize(reason.substr(0, 200)) + "»"});
	}
	eachEvent(result, [this](const KeyValue& event) { takeEvent(event); });
	return {};
}

void EtcdDirectory::takeEvent(const KeyValue& event)
{
	_watchedTo = std::max(_watchedTo, event.revision);
	auto name = Keys::nameIn(_keys.members(), event.key);
	const bool isRecord = name.has_value();
	if (!isRecord) {
		name = Keys::nameIn(_keys.lists(), event.key);
	}
	if (!name) {
		return;
	}
	if (event.isDeleted) {
		const auto known = _members.find(*name);
		if (known == _members.end()) {
			return;
		}
		if (!isRecord) {
			known->second.lists = {};
		}
		else if (std::exchange(known->second.record, std::nullopt)) {
			if (_self && *name == _self->name) {
				_askedAt = {}; // is the lease gone? A keepalive tells
				_leaseBell.ring();
			}
			tell(MemberGone{*name});
		}
		if (!known->second.record && known->second.lists == ListDigests{}) {
			_members.erase(known);
		}
		return;
	}
	store(event);
	const auto& seen = _members[*name];
	if (seen.record) {
		tell(MemberPut{{*seen.record, seen.lists}});
		checkName();
	}
}

/// Tells when the record of this host's name is another process's that came later.
void EtcdDirectory::checkName()
{
	if (!_self || _lease == 0 || _isRecordOnItsWay) {
		return;
	}
	const auto known = _members.find(_self->name);
	if (known != _members.end() && known->second.record && known->second.record->run != _self->run &&
		known->second.recordRevision > _recordRevision) {
		tell(NameTaken{*known->second.record});
	}
}

} // namespace issuer::fleet::etcd
