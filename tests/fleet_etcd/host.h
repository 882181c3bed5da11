#pragma once

#include "fleet/etcd/directory.h"
#include "real_etcd.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace issuer::test {

/// Returns whether a list of members holds this one.
inline bool has(const fleet::MembersListed& listed, const std::string& name)
{
	for (const auto& member : listed.members) {
		if (member.record.name == name) {
			return true;
		}
	}
	return false;
}

/// A host as etcd sees it: a Directory, and all that it told.
class Host
{
public:
	static constexpr auto patience = std::chrono::seconds(60);

	explicit Host(fleet::etcd::Settings settings, std::string name = "host-a", std::string run = {})
		: _self{name, run.empty() ? "run-of-" + name : std::move(run), "https://" + name + ":9464", "1.2.3"},
		  _directory(fleet::etcd::EtcdDirectory::create(std::move(settings), [this](fleet::Fact fact) {
			  const std::lock_guard lock(_mutex);
			  _facts.push_back(std::move(fact));
			  _changed.notify_all();
		  }).value())
	{
	}

	void join(const fleet::ListDigests& lists = {}) { _directory->join(_self, lists); }
	void joinAs(const std::string& name)
	{
		_self.name = name;
		_directory->join(_self, {});
	}
	[[nodiscard]] fleet::Directory& directory() { return *_directory; }
	/// Ends as a killed process does.
	void die() { _directory.reset(); }

	/// Forgets the facts so far.
	void forget()
	{
		const std::lock_guard lock(_mutex);
		_facts.clear();
	}

	/// Waits for the first fact of this kind that fits, and forgets it and all before it. Returns false when there is
	/// none for a minute.
	template <class Kind, class Fits>
	[[nodiscard]] bool await(Fits&& fits)
	{
		return awaitFact([&](const fleet::Fact& fact) {
			const auto* kind = std::get_if<Kind>(&fact);
			return kind != nullptr && fits(*kind);
		});
	}
	template <class Kind>
	[[nodiscard]] bool await()
	{
		return await<Kind>([](const Kind&) { return true; });
	}

	/// Waits likewise for a record that fits, put or listed: whichever comes first after joining and after a trouble.
	template <class Fits>
	[[nodiscard]] bool awaitRecord(Fits&& fits)
	{
		const auto isTold = [&](const fleet::Member& member) { return fits(member.record); };
		return awaitFact([&](const fleet::Fact& fact) {
			const auto* put = std::get_if<fleet::MemberPut>(&fact);
			const auto* listed = std::get_if<fleet::MembersListed>(&fact);
			return (put != nullptr && isTold(put->member)) ||
				   (listed != nullptr && std::any_of(listed->members.begin(), listed->members.end(), isTold));
		});
	}

	/// Returns whether such a fact was told since facts were last awaited or forgotten.
	template <class Kind>
	[[nodiscard]] bool was()
	{
		const std::lock_guard lock(_mutex);
		for (const auto& fact : _facts) {
			if (std::holds_alternative<Kind>(fact)) {
				return true;
			}
		}
		return false;
	}

	/// Reads these shards and returns what came.
	[[nodiscard]] std::vector<fleet::State> read(const std::vector<fleet::Shard>& shards)
	{
		std::vector<fleet::State> states;
		std::size_t answered = 0;
		_directory->read(shards);
		while (answered < shards.size() && await<fleet::StatesRead>([&](const fleet::StatesRead& read) {
			states.insert(states.end(), read.states.begin(), read.states.end());
			answered += read.shards.size();
			return true;
		})) {
		}
		return answered == shards.size() ? states : std::vector<fleet::State>();
	}

private:
	template <class Fits>
	[[nodiscard]] bool awaitFact(Fits&& fits)
	{
		std::unique_lock lock(_mutex);
		return _changed.wait_for(lock, patience, [&] {
			const auto found = std::find_if(_facts.begin(), _facts.end(), fits);
			if (found == _facts.end()) {
				return false;
			}
			_facts.erase(_facts.begin(), std::next(found));
			return true;
		});
	}

	std::mutex _mutex;
	std::condition_variable _changed;
	std::vector<fleet::Fact> _facts;
	fleet::Directory::Self _self;
	std::unique_ptr<fleet::etcd::EtcdDirectory> _directory;
};

} // namespace issuer::test
