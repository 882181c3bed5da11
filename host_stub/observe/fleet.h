#pragma once

#include "observe/issuer_record.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace issuer::observe {

/// What all issuers told: their present, their counters and their last happenings.
///
/// Bounded: per issuer at most `history` happenings, with texts cut at `longestText`. Whoever tells waits for no
/// reader: each issuer has a lock of its own, held while one record is copied.
/// [thread-safe]
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
	/// Lines are for the log alone.
	void log(std::string_view, issuer_log_level, std::string_view, std::string_view) override {}
	void notice(const Notice& notice) override;

	/// From now on these are heard. Whoever is not admitted is not: what a removed issuer still says is about nobody.
	void admit(const std::vector<std::string>& names);
	/// Forgets whoever is not one of `names`, and does not hear them any more.
	void keepOnly(const std::vector<std::string>& names);

	/// Everyone who was admitted, by name.
	[[nodiscard]] std::vector<IssuerRecord> all() const;
	/// Newest first; empty for an unknown issuer.
	[[nodiscard]] std::vector<Happening> historyOf(std::string_view issuer) const;
	/// What the host did that is not about one issuer, newest first.
	[[nodiscard]] std::vector<Happening> hostHistory() const;

	/// Grows with everything that is told. Equal: nothing has changed.
	[[nodiscard]] std::uint64_t revision() const { return _revision; }
	/// The host has begun with every issuer, and has not ended.
	[[nodiscard]] bool ready() const { return _ready; }
	/// When a plugin last recorded anything; when the fleet was made, if none ever did.
	[[nodiscard]] SteadyTime lastEvent() const { return _lastEvent; }
	[[nodiscard]] UnixTime now() const { return _now(); }
	[[nodiscard]] SteadyTime steadyNow() const { return _steadyNow(); }

	[[nodiscard]] static UnixTime systemNow();
	[[nodiscard]] static SteadyTime steadyClockNow();

private:
	struct Issuer;

	[[nodiscard]] std::shared_ptr<Issuer> find(std::string_view name) const;
	[[nodiscard]] std::vector<std::shared_ptr<Issuer>> everyone() const;

	const Clock _now;
	const SteadyClock _steadyNow;
	mutable std::mutex _mutex; ///< of the map and of _host, held for moments
	std::map<std::string, std::shared_ptr<Issuer>, std::less<>> _issuers;
	std::vector<Happening> _host; ///< oldest first
	std::atomic<std::uint64_t> _revision = 0;
	std::atomic<bool> _ready = false;
	std::atomic<SteadyTime> _lastEvent;
};

} // namespace issuer::observe
