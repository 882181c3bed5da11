#pragma once

#include "credential/reader.h"

#include <condition_variable>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace issuer::vault::credential::test {

/// Time that a test moves, and jobs that run as it passes, on the test's own thread.
class Time final : public runtime::Clock, public runtime::Scheduler
{
public:
	Moment now() const override
	{
		const std::lock_guard lock(_mutex);
		++_asked;
		return _now;
	}
	/// Returns how often anything has asked for the time.
	[[nodiscard]] int asked() const
	{
		const std::lock_guard lock(_mutex);
		return _asked;
	}
	void arm(runtime::Job& job, Instant at, Instant) override
	{
		const std::lock_guard lock(_mutex);
		_armed[&job] = at;
	}
	bool halt(runtime::Job& job, Duration) override
	{
		const std::lock_guard lock(_mutex);
		_armed.erase(&job);
		return true;
	}

	void pass(Duration by)
	{
		std::unique_lock lock(_mutex);
		const auto end = _now.boot + by;
		while (true) {
			auto next = _armed.end();
			for (auto each = _armed.begin(); each != _armed.end(); ++each) {
				next = next == _armed.end() || each->second < next->second ? each : next;
			}
			if (next == _armed.end() || next->second > end) {
				_now.wall += end - _now.boot;
				_now.boot = end;
				return;
			}
			_now.boot = std::max(_now.boot, next->second);
			auto& job = *next->first;
			_armed.erase(next);
			lock.unlock();
			EXPECT_FALSE(job.run(Wake::ready));
			lock.lock();
		}
	}

private:
	mutable std::mutex _mutex;
	mutable int _asked = 0;
	Moment _now{Instant(std::chrono::hours(5)), WallTime(std::chrono::seconds(1'800'000'000))};
	std::map<runtime::Job*, Instant> _armed;
};

/// Runs the work of a reader: at once, or on threads of which some hang.
class Hands
{
public:
	~Hands() { letGo(); }

	[[nodiscard]] Reader::Helper helper()
	{
		return [this](std::function<void()> work) {
			++taken;
			if (refuses) {
				return false;
			}
			if (hang) {
				_hanging.push_back(std::move(work));
			}
			else {
				work();
			}
			return true;
		};
	}
	/// Lets the hanging work continue.
	void letGo()
	{
		hang = false;
		for (const auto& work : std::exchange(_hanging, {})) {
			work();
		}
	}

	int taken = 0;
	bool hang = false;
	bool refuses = false;

private:
	std::vector<std::function<void()>> _hanging;
};

class Hears final : public NewsListener
{
public:
	void newsRead() noexcept override { ++told; }
	int told = 0;
};

inline Reader::Options withoutHints()
{
	Reader::Options options;
	options.hints = false;
	return options;
}

} // namespace issuer::vault::credential::test
