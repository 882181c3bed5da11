#pragma once

#include "runtime/job.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace issuer::vault::runtime::test {

/// Longer than anything takes on the slowest machine; only a test that fails waits for it.
constexpr auto patience = std::chrono::seconds(60);

/// A number that many threads may raise and one waits for.
class Counter
{
public:
	void raise()
	{
		const std::lock_guard lock(_mutex);
		++_value;
		_raised.notify_all();
	}
	[[nodiscard]] int value() const
	{
		const std::lock_guard lock(_mutex);
		return _value;
	}
	[[nodiscard]] bool reaches(int value) const
	{
		std::unique_lock lock(_mutex);
		return _raised.wait_for(lock, patience, [&] { return _value >= value; });
	}

private:
	mutable std::mutex _mutex;
	mutable std::condition_variable _raised;
	int _value = 0;
};

/// A run is one call of a function.
class Chore final : public Job
{
public:
	explicit Chore(std::function<void()> run, const void* place = nullptr) : _run(std::move(run)), _place(place) {}
	explicit Chore(Counter& runs, const void* place = nullptr) : Chore([&runs] { runs.raise(); }, place) {}

	[[nodiscard]] std::optional<Wait> run(Wake) noexcept override
	{
		_run();
		return std::nullopt;
	}
	[[nodiscard]] const void* place() const noexcept override { return _place; }

private:
	std::function<void()> _run;
	const void* _place;
};

/// A job whose run is a function.
class Steps final : public Job
{
public:
	explicit Steps(std::function<std::optional<Wait>(Wake)> step, const void* place = nullptr)
		: _step(std::move(step)), _place(place)
	{
	}

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override { return _step(wake); }
	[[nodiscard]] const void* place() const noexcept override { return _place; }

private:
	std::function<std::optional<Wait>(Wake)> _step;
	const void* _place;
};

/// Waits as a request to a dead server does: for ever, or until it is cancelled.
class Hanging final : public Job
{
public:
	explicit Hanging(std::function<void()> begun, const void* place = nullptr, std::function<void()> cancelled = {})
		: _begun(std::move(begun)), _cancelled(std::move(cancelled)), _place(place)
	{
	}

	[[nodiscard]] std::optional<Wait> run(Wake wake) noexcept override
	{
		if (wake == Wake::cancelled) {
			if (_cancelled) {
				_cancelled();
			}
			return std::nullopt;
		}
		_begun();
		return Wait{};
	}
	[[nodiscard]] const void* place() const noexcept override { return _place; }

private:
	std::function<void()> _begun;
	std::function<void()> _cancelled;
	const void* _place;
};

} // namespace issuer::vault::runtime::test
