#pragma once

#include "fleet/directory.h"
#include "fleet/etcd/bell.h"
#include "fleet/etcd/client.h"
#include "fleet/etcd/keys.h"
#include "fleet/etcd/loop.h"
#include "fleet/etcd/pulse_answer.h"
#include "fleet/etcd/queue.h"
#include "fleet/etcd/requests.h"
#include "fleet/etcd/settings.h"

#include "common/result.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace issuer::fleet::etcd {

/// The Directory over etcd v3. One thread runs all of it as tasks: one keeps the lease, one watches, one writes, one
/// reads; and short-lived helpers resolve names and read certificates.
class EtcdDirectory final : public Directory
{
public:
	/// Fails when the settings cannot be used, or no thread can be had. Connects to nothing before join().
	[[nodiscard]] static Result<std::unique_ptr<EtcdDirectory>> create(Settings settings, Listener listener);
	/// Ends at once, without leaving: the lease runs out by itself. Not to be called by the listener.
	~EtcdDirectory() override;

	void join(Self self, const ListDigests& lists) override;
	void setRecord(const ShardSet& kept, const ListDigests& lists) override;
	void write(std::vector<State> states) override;
	void remove(std::vector<StateName> names) override;
	void read(std::vector<Shard> shards) override;
	void pulse(std::string text) override;
	void readPulses(std::function<void(Pulses pulses)> take) override;
	/// Not to be called by the listener.
	void leave(milliseconds limit) override;

private:
	using Clock = std::chrono::steady_clock;

	/// Slots of the loop.
	enum Slot : std::size_t
	{
		leasing,
		watching,
		writing,
		reading,
		leaving,
	};

	EtcdDirectory(Settings settings, Listener listener, std::unique_ptr<Client> client);

	void run();
	[[nodiscard]] bool runTasks() noexcept;
	void tellFailure(const char* why) noexcept;
	void tell(Fact fact);
	[[nodiscard]] Client::Deadline within(milliseconds limit) const { return Clock::now() + limit; }
	[[nodiscard]] WallTime wallNow() const;

	// lease.cpp
	[[nodiscard]] vault::Task<> keepLease();
	[[nodiscard]] vault::Task<> joinAs(Self self, const ListDigests& lists);
	[[nodiscard]] vault::Task<> keepAlive();
	[[nodiscard]] bool isNewSelf();
	[[nodiscard]] MemberRecord recordOf(const ShardSet& kept) const;
	void noteAnswered(Instant asked);
	void noteTrouble(const Trouble& trouble);
	void noteWritten();
	void loseLease();
	void lookAfterWatch();

	// watching.cpp
	[[nodiscard]] vault::Task<> watch();
	[[nodiscard]] vault::Task<Answer<Revision>> listMembers();
	[[nodiscard]] Answer<void> takeWatched(const Json& result);
	void takeEvent(const KeyValue& event);
	void store(const KeyValue& key);
	void checkName();

	// traffic.cpp
	[[nodiscard]] vault::Task<> writeWaiting();
	[[nodiscard]] vault::Task<bool> writeSome(Client::Deadline deadline);
	[[nodiscard]] std::string transactionOf(const std::vector<Queue::Write>& writes, std::optional<Record>& record);
	[[nodiscard]] vault::Task<> writePulse();
	[[nodiscard]] vault::Duration untilPulse();
	[[nodiscard]] vault::Task<> readAsked();
	[[nodiscard]] vault::Task<> readShards(std::vector<Shard> shards);
	[[nodiscard]] vault::Task<> readAllPulses(PulseAnswer answer);
	[[nodiscard]] vault::Task<> sayGoodbye();
	[[nodiscard]] std::vector<Shard> takeShards();

	const Settings _settings;
	const Keys _keys;
	const Listener _listener;
	const std::unique_ptr<Client> _client;

	Bell _leaseBell;
	Bell _writeBell;
	Bell _readBell;
	Bell _leaveBell;

	std::mutex _mutex; ///< guards all below, up to the blank line
	std::condition_variable _ended;
	bool _hasEnded = false;
	bool _isNewSelf = false; ///< join() was called since
	Self _askedSelf;
	ListDigests _askedLists{}; ///< the newest that were given
	Queue _queue;
	std::deque<Shard> _shards; ///< to be read
	std::optional<std::string> _pulse;
	std::deque<PulseAnswer> _pulseReaders;
	std::optional<Client::Deadline> _leaveUntil;

	// Used by the thread alone.
	bool _hasFailed = false; ///< a task threw: all begin again, and so does the membership
	bool _isSilent = false;  ///< leave() was called
	std::optional<Self> _self;
	LeaseId _lease = 0; ///< not 0: joined
	Clock::time_point _askedAt;
	std::size_t _failures = 0; ///< calls for the lease that failed since the last answer
	unsigned _resends = 0;     ///< of the client, when the watch was last begun anew for one
	bool _isAwayTold = false;
	bool _isRefusalTold = false;
	Record _record;                 ///< the newest that was put
	Clock::time_point _recordPutAt; ///< time of the last put that succeeded
	Revision _recordRevision = 0;   ///< of it
	bool _isRecordOnItsWay = false;
	Clock::time_point _pulsePutAt;
	Clock::time_point _watchBegunAt;
	Revision _watchedTo = 0; ///< all changes of records up to here have been seen
	struct Seen
	{
		std::optional<MemberRecord> record; ///< none yet: only its list was seen
		ListDigests lists{};
		Revision recordRevision = 0;
	};
	std::map<std::string, Seen> _members;
	std::size_t _shardsATime = mostOperations;

	Loop _loop; ///< refers to all of the above
	std::thread _thread;
};

} // namespace issuer::fleet::etcd
