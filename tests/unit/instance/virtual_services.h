#pragma once

#include "services.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace issuer::vault::test {

class MockExchange : public transport::Exchange
{
public:
	MOCK_METHOD((Expected<HttpReply, ExchangeError>), send, (const HttpRequest&, const transport::Limits&), (override));
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
		::close(_cancelFd);
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
		if (_running == &job) {
			::eventfd_write(_cancelFd, 1);
		}
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
			_running->run(_cancelFd);
			lock.lock();
			_running = nullptr;
			eventfd_t taken = 0;
			static_cast<void>(::eventfd_read(_cancelFd, &taken));
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
	const int _cancelFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	std::thread _worker;
};

} // namespace issuer::vault::test
