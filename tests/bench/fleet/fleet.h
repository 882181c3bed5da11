#pragma once

#include "meter.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <issuer/control.h>
#include <issuer/lifecycle.h>
#include <semaphore>
#include <string>
#include <vector>

namespace issuer::bench {

/// The plugin's table, as a host finds it.
class Plugin
{
public:
	explicit Plugin(const std::string& file);

	const issuer_lifecycle* lifecycle;
	const issuer_control_ext* control;
};

/// Ten thousand issuers, or fewer, and the events of their recorders. Costs as little as a host can: some bytes an
/// issuer, some nanoseconds an event.
class Fleet
{
public:
	/// The configuration of the issuer of that number.
	using Configuration = std::function<std::string(std::size_t)>;

	Fleet(const Plugin& plugin, std::size_t size);
	~Fleet(); ///< stops
	Fleet(const Fleet&) = delete;
	Fleet& operator=(const Fleet&) = delete;

	[[nodiscard]] std::size_t size() const { return _members.size(); }

	void createAll(const Configuration& configuration);
	void start(std::size_t number);
	void startAll();
	void renewAll();
	/// Stops them one after the other, as a sequential host does.
	void stopAll();

	/// Waits until as many have been heard of since the fleet was made. Throws after five minutes.
	void awaitActive(std::size_t count);
	void awaitRenewals(std::size_t count);
	[[nodiscard]] std::size_t renewals() const { return _renewals.count; }
	[[nodiscard]] std::size_t failures() const { return _failures; }

	/// From now on it is noted by how much the worst renewal of each issuer began later than planned.
	void watchDelays() { _watchesDelays = true; }
	/// In seconds, one for each issuer that has renewed. When it is stopped.
	[[nodiscard]] std::vector<double> delays(const std::function<bool(std::size_t)>& ofWhom) const;

private:
	/// Counts, and notifies when a number is reached; until then counting wakes no thread.
	struct Counter
	{
		std::atomic<std::size_t> count = 0;
		std::atomic<std::size_t> target = 0;
		std::binary_semaphore reached{0};

		void add();
		void await(std::size_t wanted);
	};

	struct Member
	{
		Fleet* fleet = nullptr;
		issuer_instance* instance = nullptr;
		std::int64_t planned = -1;
		float worstDelay = -1;
	};

	static void record(void* member, const issuer_event* event) noexcept;

	const Plugin& _plugin;
	issuer_host _host;
	std::vector<Member> _members;
	Counter _active;
	Counter _renewals;
	std::atomic<std::size_t> _failures = 0;
	std::atomic<bool> _watchesDelays = false;
};

} // namespace issuer::bench
