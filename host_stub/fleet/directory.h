#pragma once

#include "fleet/facts.h"

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace issuer::fleet {

/// Takes what a Directory learns. Called on the Directory's own threads, one call at a time, in the order in which it
/// happened; must return soon, must not block, and may call the Directory.
using Listener = std::function<void(Fact fact)>;

/// The door to an engine: a store with leases that all hosts of a fleet reach. Hides its words, its endpoints and its
/// mishaps; decides nothing.
///
/// Threads: every function is [thread-safe] and returns at once, except leave(). Work is done on threads of its own.
///
/// Results come as facts to the listener given to the constructor of the implementation. A Directory never gives up
/// and never throws: while the engine is away it says so (Away, once an outage) and goes on trying, each try with a
/// deadline of T/5 and at the next endpoint after a failure. T is the time to live of this host's lease.
///
/// Order: writes are done in the order in which they were asked for: a record is put after the states given before it
/// were written, and a state is deleted after those before it were. Reads overtake writes.
///
/// Writes that were asked for while the engine is away or refuses wait here, the newest for each name, and are done
/// afterwards. A lost lease changes that: LeaseLost, then Joined once a new lease stands, with everything that waited
/// forgotten; the plan gives all of it again.
class Directory
{
public:
	virtual ~Directory() = default;

	/// The description of this host, but for what it keeps.
	struct Self
	{
		std::string name;
		std::string run;
		std::string url;
		std::string version;
	};

	/// Grants a lease, puts the list and a record that keeps no shard, says Joined, watches the members (MembersListed,
	/// then each change) and keeps the lease alive every T/5 (Answered each time). Called again: ends with the old
	/// lease (LeaseLost) without a word to the others, and joins anew; with another name, the record of the old one
	/// stays as it is. The record is put again, with the clock as it is then, every minute.
	virtual void join(Self self, const ListDigests& lists) = 0;

	/// Replaces the kept shards and the list of this host's record, both in one step.
	virtual void setRecord(const ShardSet& kept, const ListDigests& lists) = 0;

	/// Writes states, each under its name; they live until they are deleted, whatever becomes of the lease.
	virtual void write(std::vector<State> states) = 0;

	/// Deletes states. One that is not there is no error.
	virtual void remove(std::vector<StateName> names) = 0;

	/// Reads all states of these shards. Each shard is answered once, by StatesRead or ReadFailed; one call may be
	/// answered in several parts. A read that took longer than T failed.
	virtual void read(std::vector<Shard> shards) = 0;

	/// Replaces this host's pulse: a text for the status pages of the other members. Lives as long as the lease. Sent
	/// at most every 5 s; while the engine is away the newest waits.
	virtual void pulse(std::string text) = 0;

	/// Reads the pulses of all members, and hands them over once, on a thread of its own: name and text. Empty while
	/// the engine is away, and for a read that leave() or the destructor finds unfinished.
	using Pulses = std::vector<std::pair<std::string, std::string>>;
	virtual void readPulses(std::function<void(Pulses pulses)> take) = 0;

	/// Does the writes that wait, removes this host's record and list, and ends its lease, so that its successors begin
	/// at once. Blocks until that is done or `limit` is over; no fact comes afterwards. Where it fails the lease runs
	/// out by itself.
	virtual void leave(std::chrono::milliseconds limit) = 0;
};

} // namespace issuer::fleet
