#pragma once

#include "services.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace issuer::vault::test {

/// A network that answers at once what `send` returns. An answer of kind `cancelled` it gives when it is cancelled.
class MockExchange : public transport::Exchange
{
public:
	MOCK_METHOD(transport::Outcome, send, (const HttpRequest&, transport::Deadline));

	Task<transport::Outcome> carry(const HttpRequest& request, transport::Deadline deadline) override
	{
		auto outcome = send(request, deadline);
		if (!outcome && outcome.error().kind == ExchangeError::Kind::cancelled) {
			EXPECT_EQ(co_await Wait{}, Wake::cancelled);
		}
		co_return outcome;
	}
};

/// Time that stands still until a test moves it, and one real worker thread that runs what is due by it.
class VirtualServices final : public Services,
							  private runtime::Clock,
							  private runtime::Scheduler,
							  private runtime::FileWatch
{
public:
	explicit VirtualServices(std::shared_ptr<transport::Exchange> exchange)
		: _exchange(std::move(exchange)), _worker([this] { work(); })
	{
	}

	~VirtualServices() override
	{
		{
			const std::lock_guard lock(_mutex);
			_closing = true;
			_changed.notify_all();
		}
		_worker.join();
	}

	const runtime::Clock& clock() const override { return *this; }
	runtime::Scheduler& scheduler() override { return *this; }
	runtime::FileWatch& files() override { return *this; }
	std::shared_ptr<transport::Exchange> exchange(const transport::Settings&) override { return _exchange; }

	Moment now() const override
	{
		const std::lock_guard lock(_mutex);
		return _now;
	}

	/// Moves time on and returns when everything that is due by then has run.
	void advance(Duration by)
	{
		std::unique_lock lock(_mutex);
		_now.boot += by;
		_now.wall += by;
		_changed.notify_all();
		settle(lock);
	}

	/// Moves time to the next job, and over its run.
	void toNextRun()
	{
		std::unique_lock lock(_mutex);
		settle(lock);
		if (!_armed.empty()) {
			const auto by = std::max(earliest() - _now.boot, Duration::zero());
			_now.boot += by;
			_now.wall += by;
			_changed.notify_all();
			settle(lock);
		}
	}

	/// When the next job is due, from now.
	std::optional<Duration> untilNextRun()
	{
		std::unique_lock lock(_mutex);
		settle(lock);
		return _armed.empty() ? std::nullopt : std::optional(earliest() - _now.boot);
	}

	void tellOfFileChange()
	{
		runtime::FileListener* listener = nullptr;
		{
			const std::lock_guard lock(_mutex);
			listener = _listener;
		}
		listener->changed();
		std::unique_lock lock(_mutex);
		settle(lock);
	}

private:
	void arm(runtime::Job& job, Instant at, Instant) override
	{
		const std::lock_guard lock(_mutex);
		_armed[&job] = at;
		_changed.notify_all();
	}

	bool halt(runtime::Job& job, Duration timeout) override
	{
		std::unique_lock lock(_mutex);
		_armed.erase(&job);
		_changed.notify_all();
		_cancelled = _running == &job;
		return _changed.wait_for(lock, timeout, [&] { return _running != &job; });
	}

	std::optional<std::string> add(runtime::FileListener& listener, const std::string&) override
	{
		const std::lock_guard lock(_mutex);
		_listener = &listener;
		return std::nullopt;
	}

	void remove(runtime::FileListener&) noexcept override
	{
		const std::lock_guard lock(_mutex);
		_listener = nullptr;
	}

	Instant earliest() const
	{
		auto first = Instant::max();
		for (const auto& [job, at] : _armed) {
			first = std::min(first, at);
		}
		return first;
	}

	runtime::Job* due()
	{
		for (const auto& [job, at] : _armed) {
			if (at <= _now.boot) {
				return job;
			}
		}
		return nullptr;
	}

	void settle(std::unique_lock<std::mutex>& lock)
	{
		_changed.wait(lock, [this] { return _running == nullptr && due() == nullptr; });
	}

	void work()
	{
		std::unique_lock lock(_mutex);
		while (true) {
			_changed.wait(lock, [this] { return _closing || due() != nullptr; });
			if (_closing) {
				return;
			}
			_running = due();
			_armed.erase(_running);
			lock.unlock();
			for (Wake wake = Wake::ready; _running->run(wake); wake = Wake::cancelled) {
				lock.lock();
				_changed.wait(lock, [this] { return _cancelled; });
				lock.unlock();
			}
			lock.lock();
			_running = nullptr;
			_cancelled = false;
			_changed.notify_all();
		}
	}

	const std::shared_ptr<transport::Exchange> _exchange;
	mutable std::mutex _mutex;
	std::condition_variable _changed;
	Moment _now{Instant(std::chrono::hours(5)), WallTime(std::chrono::seconds(1'800'000'000))};
	std::map<runtime::Job*, Instant> _armed;
	runtime::Job* _running = nullptr;
	runtime::FileListener* _listener = nullptr;
	bool _closing = false;
	bool _cancelled = false; ///< the one that runs
	std::thread _worker;
};

} // namespace issuer::vault::test
