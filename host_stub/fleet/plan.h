#pragma once

#include "fleet/actions.h"
#include "fleet/engine_view.h"
#include "fleet/facts.h"
#include "fleet/members.h"
#include "fleet/shard_record.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::fleet {

/// The settings that do not change while a host runs.
struct Settings
{
	std::string member;
	std::string run;                         ///< at least 4 digits of hex
	milliseconds takeover{10'000};           ///< T: time to live of a member's lease
	std::size_t issuersWithoutRing = 20'000; ///< begun at most by a host that starts with neither engine nor ring
};

/// The fleet as this host sees it, for status and metrics.
struct Outlook
{
	std::string member; ///< this host's name; another than configured where that was taken
	bool joined = false;
	bool engineAnswers = false;
	bool writesRefused = false;
	bool settled = false;              ///< this process has joined once, or has begun its issuers without the engine
	std::size_t kept = 0;              ///< issuers that run here as first of their shard, or until the first keeps them
	std::size_t watchedOver = 0;       ///< issuers that run here because another member does not renew them
	std::size_t late = 0;              ///< issuers that do not run here and were late at the last look
	std::vector<std::string> unkept{}; ///< issuers of which no state told at the last look, by name; at most ten
	std::optional<Instant> lastAnswer;
};

/// Decides which issuers this host keeps. The rules and their reasons are in docs/fleet.md, and stand again at each
/// rule in the source.
///
/// Pure: no thread, lock, clock or I/O. Its owner hands it facts with the time, one call after the other, and carries
/// out what due() returns: after every fact, and at the latest at next().
class Plan
{
public:
	/// `lastRing`: the members that an earlier process saw last (ring_text.h); none: not known.
	explicit Plan(Settings settings, std::optional<std::vector<std::string>> lastRing = {});

	/// Takes the issuers that this host shares with its fleet: at the start, and at each reload. One that is not listed
	/// any more is forgotten: its owner stops it.
	void configure(Moment now, const std::vector<std::string>& issuers);

	/// Takes an issuer that runs here already, as one to keep until its first keeps it: the plan before this one began
	/// it.
	void adopt(std::string_view issuer);

	/// Takes a fact of the engine.
	void heard(Moment now, const Fact& fact);

	/// Takes the state of an issuer that runs here. Ignored for one that does not.
	void told(const Told& told);

	/// Returns what is to be done now, in this order. Counts as the sign of life of this process: one that called it
	/// later than T/2 after the previous time trusts nothing before the engine has answered again.
	[[nodiscard]] Actions due(Moment now);

	/// Returns when due() is to be called next, if no fact comes before.
	[[nodiscard]] Instant next() const;

	/// Returns the name of this host's member.
	[[nodiscard]] const std::string& member() const { return _members.self(); }
	/// Returns the digests of the list of issuers, for Directory::join().
	[[nodiscard]] const ListDigests& lists() const { return _lists; }
	/// Returns why an issuer runs here; none: it does not.
	[[nodiscard]] std::optional<Why> whyKept(std::string_view issuer) const;
	/// Returns the member that is to keep an issuer.
	[[nodiscard]] std::string keeperOf(std::string_view issuer) const;
	/// Returns by how much a member's wall clock is ahead of this host's; none: not known.
	[[nodiscard]] std::optional<milliseconds> clockOf(const std::string& member) const
	{
		return _members.ahead(member);
	}
	[[nodiscard]] const Ring& ring() const { return _members.ring(); }
	[[nodiscard]] Outlook outlook(Moment now) const;

private:
	// Facts, one function each: plan_facts.cpp.
	void hear(Moment now, const Joined& fact);
	void hear(Moment now, const LeaseLost& fact);
	void hear(Moment now, const Answered& fact);
	void hear(Moment now, const Away& fact);
	void hear(Moment now, const WritesRefused& fact);
	void hear(Moment now, const WritesAccepted& fact);
	void hear(Moment now, const MembersListed& fact);
	void hear(Moment now, const MemberPut& fact);
	void hear(Moment now, const MemberGone& fact);
	void hear(Moment now, const StatesRead& fact);
	void hear(Moment now, const ReadFailed& fact);
	void hear(Moment now, const NameTaken& fact);
	void membersChanged();

	// Rule 2, and rule 7 for a start without the engine: plan_beginning.cpp.
	void beginAsFirst(Moment now, ShardRecord& shard);
	[[nodiscard]] bool wantsToBegin(const ShardRecord& shard) const;
	void beginWithoutEngine(Moment now);
	void begin(IssuerRecord& issuer, Role role, Why why, const State* state);
	[[nodiscard]] bool canBeImported(const State& state) const;

	// Rule 3: plan_letting_go.cpp.
	void letGoOfKept(Moment now);
	void letGo(Moment now, ShardRecord& shard, IssuerRecord& issuer);
	void tidy(Moment now, ShardRecord& shard);
	[[nodiscard]] bool isLongGone(Moment now, const std::string& writer);

	// Rules 4 and 5: plan_watching.cpp.
	enum class Watch : std::uint8_t
	{
		none,
		second, ///< begins what is late
		third,  ///< begins what is very late
	};
	[[nodiscard]] Watch watchOf(const ShardRecord& shard) const;
	[[nodiscard]] milliseconds pauseBetweenLooks(const ShardRecord& shard) const;
	void read(Moment now);
	void watchWithoutEngine(Moment now);
	void watchOver(Moment now, ShardRecord& shard, bool serverAway);
	void endWatches(Moment now, ShardRecord& shard);
	[[nodiscard]] bool serverSeemsAway() const;

	// The news for the other members and the operator: plan.cpp.
	void writeStates();
	void setRecord();

	// Lines for the operator: plan_telling.cpp.
	void tell(issuer_log_level level, std::string text);
	void tellBegun();
	void tellWatches();
	/// Issuers that are watched over for one reason.
	struct Watched
	{
		std::size_t issuers = 0;
		std::string names{}; ///< of the first three
	};
	[[nodiscard]] Watched watchedOver(Why why) const;

	[[nodiscard]] IssuerRecord* find(std::string_view issuer);
	[[nodiscard]] const IssuerRecord* find(std::string_view issuer) const;

	const Settings _settings;
	const std::optional<std::vector<std::string>> _lastRing;
	Members _members;
	EngineView _engine;
	ListDigests _lists{};
	std::map<Shard, ShardRecord> _shards; ///< those with an issuer configured here
	std::optional<Instant> _started;      ///< time of the first configure()
	std::optional<Instant> _lastDue;
	bool _changed = true; ///< a fact came since the last due()
	bool _hasJoined = false;
	bool _begunWithoutEngine = false;
	bool _toldOfNoRing = false;
	std::optional<SetRecord> _record;          ///< as last given to the engine
	std::vector<StateName> _unneeded;          ///< states to delete, after those that replace them are written
	std::map<std::string, Instant> _strangers; ///< writers of states that were no members, with the first such look
	std::set<std::string> _warnedClocks;
	/// The operator's knowledge of the issuers that are watched over for one reason.
	struct Watches
	{
		std::size_t told = 0; ///< number as last told; 0: that there are none
		std::size_t most = 0; ///< at once, since the first
	};
	std::map<Why, Watches> _watches;
	Actions _actions;
};

} // namespace issuer::fleet
