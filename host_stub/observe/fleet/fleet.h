#pragma once

#include "observe/fleet/issuer_record.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace issuer::observe {

/// The state of all issuers as their plugins told it: their present, their counters and their latest happenings.
///
/// Bounded: per issuer at most `history` happenings, with texts cut at `longestText`. A plugin's event waits for no
/// reader: each issuer has a lock of its own, held while one record is copied. [thread-safe]
class Fleet final : public EventSink
{
public:
	static constexpr std::size_t history = 16;
	static constexpr std::size_t longestText = 240; ///< bytes

	using Clock = std::function<UnixTime()>;
	using SteadyClock = std::function<SteadyTime()>;

	explicit Fleet(Clock now = systemNow, SteadyClock steadyNow = steadyClockNow);
	~Fleet() override;

	void event(std::string_view issuer, const issuer_event& event) override;
	/// Does nothing: lines are for the log alone.
	void log(std::string_view, issuer_log_level, std::string_view, std::string_view) override {}
	void notice(const Notice& notice) override;

	/// Starts recording these issuers. Events of unknown or removed issuers are dropped.
	void admit(const std::vector<std::string>& names);
	/// Removes all issuers that are not among `names`; their events are dropped from now on.
	void keepOnly(const std::vector<std::string>& names);

	/// Returns the records of all admitted issuers, by name.
	[[nodiscard]] std::vector<IssuerRecord> all() const;
	/// Returns an issuer's happenings, newest first; empty for an unknown issuer.
	[[nodiscard]] std::vector<Happening> historyOf(std::string_view issuer) const;
	/// Returns the host's acts that are not about one issuer, newest first.
	[[nodiscard]] std::vector<Happening> hostHistory() const;

	/// Returns a number that grows with every record. Equal numbers: nothing has changed.
	[[nodiscard]] std::uint64_t revision() const { return _revision; }
	/// Returns whether the host has begun with every issuer, and has not ended.
	[[nodiscard]] bool ready() const { return _ready; }
	/// Returns when a plugin last recorded an event; the creation of the fleet, if none ever did.
	[[nodiscard]] SteadyTime lastEvent() const { return _lastEvent; }
	[[nodiscard]] UnixTime now() const { return _now(); }
	[[nodiscard]] SteadyTime steadyNow() const { return _steadyNow(); }

	[[nodiscard]] static UnixTime systemNow();
	[[nodiscard]] static SteadyTime steadyClockNow();

private:
	struct Issuer;

	[[nodiscard]] std::shared_ptr<Issuer> find(std::string_view name) const;
	[[nodiscard]] std::vector<std::shared_ptr<Issuer>> allIssuers() const;

	const Clock _now;
	const SteadyClock _steadyNow;
	mutable std::mutex _mutex; ///< guards the map and _host; held briefly
	std::map<std::string, std::shared_ptr<Issuer>, std::less<>> _issuers;
	std::vector<Happening> _host; ///< oldest first
	std::atomic<std::uint64_t> _revision = 0;
	std::atomic<bool> _ready = false;
	std::atomic<SteadyTime> _lastEvent;
};

} // namespace issuer::observe
