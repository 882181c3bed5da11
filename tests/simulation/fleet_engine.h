#pragma once

#include "fleet_timing.h"
#include "fleet_world.h"
#include "login_world.h"

#include "fleet/facts.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace issuer::fleets {

/// An engine of three nodes, as etcd is one: leases that do not run out without a leader and begin anew with the next
/// one, records that live as long as their lease, states that stay.
class Engine
{
public:
	using LeaseId = std::uint64_t;
	/// A change of a member's record; none: it is gone.
	using Watcher = std::function<void(const std::string& name, const std::optional<fleet::Member>& member)>;

	struct Record
	{
		fleet::Member member;
		LeaseId lease;
	};

	struct Stored
	{
		fleet::State state;
		Instant written;
	};

	/// What the engine knew of an issuer since it was last wiped, whether the state is there or was deleted.
	struct Knowledge
	{
		std::optional<Instant> told;     ///< time of the first state that tells
		std::optional<Instant> foretold; ///< likewise: and that the end was told to the operator
	};

	Engine(const World& world, Timing& timing);

	/// Returns whether a process can have something done by a node.
	[[nodiscard]] bool serves(unsigned node, unsigned machine) const;
	[[nodiscard]] bool hasLeader() const;
	[[nodiscard]] bool isFull() const { return _world.isDuring(Mishap::full, 0, _timing.now()); }

	[[nodiscard]] LeaseId grant();
	[[nodiscard]] bool keepAlive(LeaseId lease);
	void revoke(LeaseId lease);
	void put(const fleet::Member& member, LeaseId lease);
	void write(const fleet::State& state);
	void remove(const fleet::StateName& name) { _states.erase(name); }

	[[nodiscard]] const std::map<std::string, Record>& records() const { return _records; }
	[[nodiscard]] const std::map<fleet::StateName, Stored>& states() const { return _states; }
	[[nodiscard]] Knowledge knows(const std::string& issuer) const;
	void watch(Watcher watcher) { _watchers.push_back(std::move(watcher)); }

private:
	void tick();
	void revokeAsTheWorldDoes(const Misfortune& misfortune);

	const World& _world;
	Timing& _timing;
	bool _led = true;
	LeaseId _latest = 0;
	std::map<LeaseId, Instant> _leases; ///< with their ends
	std::map<std::string, Record> _records;
	std::map<fleet::StateName, Stored> _states;
	std::map<std::string, Knowledge> _known; ///< by issuer
	std::vector<Watcher> _watchers;
};

/// The way of one process to the engine; does what fleet::Directory says.
class Door
{
public:
	using Listener = std::function<void(fleet::Fact)>;
	/// Plans a call of this process: later while it stands still, and not at all once it has died.
	using Later = std::function<void(milliseconds pause, Timing::Call call)>;
	/// Returns the wall clock of the machine.
	using Wall = std::function<fleet::WallTime()>;

	Door(const World& world, Timing& timing, Engine& engine, unsigned machine, std::uint64_t seed, Later later,
		Wall wall, Listener listener);

	void join(const std::string& name, const std::string& run, const fleet::ListDigests& lists);
	void setRecord(const fleet::ShardSet& kept, const fleet::ListDigests& lists);
	void write(std::vector<fleet::State> states);
	void remove(std::vector<fleet::StateName> names);
	void read(std::vector<fleet::Shard> shards);
	void leave();

	/// Takes an event of the engine, at the time at which it happens there.
	void changed(const std::string& name, const std::optional<fleet::Member>& member);

private:
	using Write = std::function<void()>;

	void grant();
	void keepAlive();
	void list();
	void watchOn();
	void putRecord();
	void later(Write write);
	void flush();
	[[nodiscard]] bool reaches() const { return _engine.serves(_node, _machine); }
	void failed();
	void unlessRejoined(milliseconds pause, Timing::Call call);

	const World& _world;
	Timing& _timing;
	Engine& _engine;
	const unsigned _machine;
	simulation::Dice _dice;
	const Later _later;
	const Wall _wall;
	const Listener _listener;

	std::uint64_t _joins = 0; ///< number of joins: what an earlier one planned is not done
	unsigned _node = 0;
	unsigned _failures = 0; ///< in a row
	bool _granted = false;
	Engine::LeaseId _lease = 0;
	fleet::Member _self;
	std::vector<Write> _waiting;
	bool _flushing = false;
	bool _watching = false;
	std::optional<Instant> _watchBroken;
	Instant _heard; ///< latest event handed on, so that none overtakes another
	bool _refused = false;
};

} // namespace issuer::fleets
