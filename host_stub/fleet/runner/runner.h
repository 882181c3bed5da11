#pragma once

#include "fleet/directory.h"
#include "fleet/plan.h"
#include "observe/events/event_sink.h"
#include "observe/events/fleet_status.h"
#include "registry/registry.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace issuer::fleet {

/// Returns both clocks of this machine.
[[nodiscard]] Moment machineNow();

/// Opens the door to an engine, whose facts go to the listener.
using OpenDirectory = std::function<std::unique_ptr<Directory>(Listener)>;

/// Has a host take its part in a fleet: one thread that hands the plan what the engine and the plugins tell, and
/// carries out what the plan decides. Decides nothing itself. No exception ends the thread: a pass that fails is told,
/// and the next begins with what the engine, the registry and the plugins then tell.
///
/// It is a sink of the host's events, from which it learns that an issuer's state has changed. All functions are
/// [thread-safe], unless they say otherwise.
class Runner final : public observe::EventSink
{
public:
	struct Settings
	{
		std::string fleet;
		fleet::Settings plan;
		std::string url;
		std::string version;
		std::filesystem::path ringFile; ///< where the ring last seen is kept; empty: nowhere
		/// Returns what the pages of other members show of this host. Called on the runner's thread.
		std::function<std::string()> pulse = [] { return std::string(); };
		std::function<Moment()> now = machineNow;
		std::chrono::milliseconds pulsePause{5'000};
		std::chrono::milliseconds pauseAfterFailure{
			1'000}; ///< of the first in five minutes; then twice that, up to 1 min
	};

	/// `registry` outlives it. `sink` is told what happens to the fleet. Does nothing before begin().
	Runner(Settings settings, registry::Registry& registry, std::shared_ptr<observe::EventSink> sink,
		const OpenDirectory& open);
	/// Ends the thread, if leave() has not.
	~Runner() override;

	/// Joins the fleet with the issuers that the registry shares. Once.
	void begin();

	/// Takes the issuers that the registry shares now; after each reload.
	void configure();

	/// Decides nothing from now on: before the registry is stopped.
	void close();

	/// Takes the last state of an issuer that was stopped here, for its successor; between close() and leave().
	void lastState(const std::string& issuer, const std::string& plugin, std::string text);

	/// Hands the last states over and leaves the fleet, so that the successors begin at once. Blocks for `limit` at
	/// most, once the registry is stopped.
	void leave(std::chrono::milliseconds limit);

	[[nodiscard]] observe::FleetStatus status() const;
	/// Returns the member that is to keep an issuer; empty: this host alone has it.
	[[nodiscard]] std::string keeperOf(const std::string& issuer) const;
	/// Reads what the pages of all members are to show: name and text. See Directory::readPulses().
	void readPulses(std::function<void(Directory::Pulses)> take);

	void event(std::string_view issuer, const issuer_event& event) override;
	void log(
		std::string_view issuer, issuer_log_level level, std::string_view component, std::string_view text) override;
	void notice(const observe::Notice& notice) override;

private:
	void hear(Fact fact);
	void wake(std::string_view issuer);
	void run();
	[[nodiscard]] bool awaitNews(std::chrono::milliseconds pause);
	[[nodiscard]] std::chrono::milliseconds step() noexcept;
	[[nodiscard]] std::chrono::milliseconds noteFailure(const char* why) noexcept;
	void startOver();
	void pass();
	void letGoOfOwn(const std::string& issuer);
	void tell(const std::string& issuer);
	void carryOut(Actions actions);
	void carryOut(Begin& action);
	void carryOut(const LetGo& action);
	void carryOut(WriteStates& action);
	void carryOut(const SetRecord& action);
	void carryOut(ReadStates& action);
	void carryOut(DeleteStates& action);
	void carryOut(const JoinAs& action);
	void carryOut(const SaveRing& action);
	void carryOut(const Tell& action);
	void note(const Fact& fact);
	void sendPulse(Instant now);
	[[nodiscard]] Directory::Self self(const std::string& member) const;
	[[nodiscard]] std::optional<std::vector<std::string>> lastRing() const;
	void say(issuer_log_level level, const std::string& text) const;

	const Settings _settings;
	registry::Registry& _registry;
	const std::shared_ptr<observe::EventSink> _sink;

	mutable std::mutex _planMutex;                                ///< guards the next members, up to the blank line
	std::unique_ptr<Plan> _plan;                                  ///< never null; a new one after a pass that failed
	std::map<std::string, observe::FleetStatus::Member> _members; ///< as last told by the engine
	std::map<std::string, Told> _told;                            ///< of the issuers that run here
	std::map<Why, std::uint64_t> _begun;
	std::uint64_t _stateWrites = 0;

	// Used by the thread alone.
	std::string _pulse;      ///< as last sent
	Instant _pulsed{};       ///< time at which it was sent
	bool _hasFailed = false; ///< the last pass
	std::optional<Instant> _lastFailure;
	std::chrono::milliseconds _pauseAfterFailure{};

	std::mutex _newsMutex; ///< guards all below
	std::condition_variable _changed;
	std::vector<State> _lastStates; ///< of leave()
	std::vector<Fact> _facts;
	std::set<std::string, std::less<>> _dirty; ///< issuers whose state has changed
	bool _isAllDirty = false;                  ///< that of any may have
	bool _configure = false;
	bool _closed = false;

	std::unique_ptr<Directory> _directory;
	std::thread _thread;
};

} // namespace issuer::fleet
