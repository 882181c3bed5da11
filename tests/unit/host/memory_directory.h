#pragma once

#include "common/boot_time.h"
#include "fleet/directory.h"
#include "fleet/ring.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace issuer::test {

class MemoryDirectory;

/// An engine in this process, which the directories of several hosts share.
struct MemoryEngine
{
	std::mutex mutex; ///< guards all below
	bool away = false;
	std::map<std::string, fleet::Member> members;
	std::map<fleet::StateName, fleet::State> states;
	std::map<std::string, std::string> pulses;
	std::set<MemoryDirectory*> open;

	[[nodiscard]] std::size_t stateCount()
	{
		const std::lock_guard lock(mutex);
		return states.size();
	}
};

/// The door to a MemoryEngine. Answers at once; its keepalives come every 20 ms.
class MemoryDirectory final : public fleet::Directory
{
public:
	MemoryDirectory(MemoryEngine& engine, fleet::Listener listener)
		: _engine(engine), _listener(std::move(listener)), _keepalives([this] { keepAlive(); })
	{
		const std::lock_guard lock(_engine.mutex);
		_engine.open.insert(this);
	}
	~MemoryDirectory() override { die(); }

	void join(Self self, const fleet::ListDigests& lists) override
	{
		const std::lock_guard lock(_engine.mutex);
		_self = self;
		_member = {{self.name, self.run, self.url, self.version, wallNow(), {}}, lists};
		_joined = true;
		_listener(fleet::Joined{});
		fleet::MembersListed listed;
		_engine.members[self.name] = _member;
		for (const auto& [name, member] : _engine.members) {
			listed.members.push_back(member);
		}
		_listener(std::move(listed));
		put();
	}

	void setRecord(const fleet::ShardSet& kept, const fleet::ListDigests& lists) override
	{
		const std::lock_guard lock(_engine.mutex);
		_recordsThatRelyOnNothing += _hasBroken && kept.any() ? 1 : 0;
		_member.record.kept = kept;
		_member.record.written = wallNow();
		_member.lists = lists;
		put();
	}

	void write(std::vector<fleet::State> states) override
	{
		const std::lock_guard lock(_engine.mutex);
		_hasBroken = _brokenWrites > 0;
		if (_hasBroken) {
			--_brokenWrites;
			throw std::bad_alloc();
		}
		for (auto& state : states) {
			const auto name = state.name;
			_engine.states.insert_or_assign(name, std::move(state));
		}
	}

	void remove(std::vector<fleet::StateName> names) override
	{
		const std::lock_guard lock(_engine.mutex);
		for (const auto& name : names) {
			_engine.states.erase(name);
		}
	}

	void read(std::vector<fleet::Shard> shards) override
	{
		const std::lock_guard lock(_engine.mutex);
		if (_engine.away) {
			_listener(fleet::ReadFailed{std::move(shards)});
			return;
		}
		fleet::StatesRead read;
		const std::set<fleet::Shard> wanted(shards.begin(), shards.end());
		for (const auto& [name, state] : _engine.states) {
			if (wanted.contains(fleet::shardOf(name.issuer))) {
				read.states.push_back(state);
			}
		}
		read.shards = std::move(shards);
		_listener(std::move(read));
	}

	void pulse(std::string text) override
	{
		const std::lock_guard lock(_engine.mutex);
		_engine.pulses[_self.name] = std::move(text);
	}

	void readPulses(std::function<void(Pulses)> take) override
	{
		const std::lock_guard lock(_engine.mutex);
		take({_engine.pulses.begin(), _engine.pulses.end()});
	}

	void leave(std::chrono::milliseconds) override { die(); }

	/// Has the next so many writes throw.
	void breakWrites(int count)
	{
		const std::lock_guard lock(_engine.mutex);
		_brokenWrites = count;
	}
	/// Returns the number of records that were put after a write that threw, and before the next that did not.
	[[nodiscard]] int recordsThatRelyOnNothing() const
	{
		const std::lock_guard lock(_engine.mutex);
		return _recordsThatRelyOnNothing;
	}

	/// Ends as a host that was killed, with the end of its lease at once.
	void die()
	{
		{
			const std::lock_guard lock(_engine.mutex);
			if (!_engine.open.erase(this)) {
				return;
			}
			_ended = true;
			_changed.notify_all();
			if (_joined && _engine.members.erase(_self.name) > 0) {
				for (auto* other : _engine.open) {
					other->_listener(fleet::MemberGone{_self.name});
				}
			}
		}
		_keepalives.join();
	}

private:
	static fleet::WallTime wallNow()
	{
		return std::chrono::time_point_cast<fleet::milliseconds>(std::chrono::system_clock::now());
	}

	/// Puts this host's record. Called under the lock.
	void put()
	{
		_engine.members[_self.name] = _member;
		for (auto* one : _engine.open) {
			one->_listener(fleet::MemberPut{_member});
		}
	}

	void keepAlive()
	{
		std::unique_lock lock(_engine.mutex);
		bool wasAway = false;
		while (!_ended) {
			if (_joined && !_engine.away) {
				_listener(fleet::Answered{fleet::Instant(sinceBoot())});
			}
			else if (_engine.away && !wasAway) {
				_listener(fleet::Away{"the test says so"});
			}
			wasAway = _engine.away;
			_changed.wait_for(lock, std::chrono::milliseconds(20), [this] { return _ended; });
		}
	}

	MemoryEngine& _engine;
	const fleet::Listener _listener;
	Self _self;
	fleet::Member _member;
	bool _joined = false;
	bool _ended = false;
	int _brokenWrites = 0;
	bool _hasBroken = false; ///< the last write threw
	int _recordsThatRelyOnNothing = 0;
	std::condition_variable _changed;
	std::thread _keepalives;
};

} // namespace issuer::test
