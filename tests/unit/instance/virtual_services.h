#pragma once

#include "failing_allocations.h"
#include "services.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace issuer::vault::test {

/// A network that answers at once with the return value of `send`. An answer of kind `cancelled` is given when it is
/// cancelled.
class MockExchange : public transport::Exchange
{
public:
	MOCK_METHOD(transport::ExchangeResult, send, (const HttpRequest&, transport::Deadline));

	Task<transport::ExchangeResult> carry(const HttpRequest& request, transport::Deadline deadline) override
	{
		auto outcome = send(request, deadline);
		if (!outcome && outcome.error().kind == ExchangeError::Kind::cancelled) {
			EXPECT_EQ(co_await Wait{}, Wake::cancelled);
		}
		co_return outcome;
	}
};

/// Time that stands still until a test moves it, and one real worker thread that runs the jobs due by it.
class VirtualServices final : public Services, private runtime::Clock, private runtime::Scheduler
{
public:
	explicit VirtualServices(std::shared_ptr<transport::Exchange> exchange)
		: _exchange(std::move(exchange)), _worker([this] { work(); })
	{
	}

	~VirtualServices() override
	{
		_reader.reset();
		{
			const std::lock_guard lock(_mutex);
			_closing = true;
			_changed.notify_all();
		}
		_worker.join();
	}

	const runtime::Clock& clock() const override { return *this; }
	runtime::Scheduler& scheduler() override { return *this; }
	credential::Reader& reader() override { return *_reader; }
	Callbacks& callbacks() override { return _callbacks; }
	LoginOffice& logins() override { return *_logins; }
	/// Forgets what logins shared, as the library of another version does that never knew it. While no instance runs.
	void becomeAnotherLibrary() { _logins = std::make_unique<LoginOffice>(); }
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
		if (earliest() != Instant::max()) {
			const auto by = std::max(earliest() - _now.boot, Duration::zero());
			_now.boot += by;
			_now.wall += by;
			_changed.notify_all();
			settle(lock);
		}
	}

	/// Moves time on, from one job to the next, and returns when everything that is due by then has run.
	void pass(Duration by)
	{
		std::unique_lock lock(_mutex);
		settle(lock);
		const auto end = _now.boot + by;
		while (_now.boot < end) {
			const auto step = std::min(earliest(), end) - _now.boot;
			_now.boot += step;
			_now.wall += step;
			_changed.notify_all();
			settle(lock);
		}
	}

	/// When the next job is due, from now.
	std::optional<Duration> untilNextRun()
	{
		std::unique_lock lock(_mutex);
		settle(lock);
		const auto at = earliest();
		return at == Instant::max() ? std::nullopt : std::optional(at - _now.boot);
	}

	/// Returns how often a job was armed whose token was said to have ended.
	[[nodiscard]] int overdue() const
	{
		const std::lock_guard lock(_mutex);
		return _overdue;
	}

	/// From now on reading a file hangs, until it is let go: files are then read by `go()`.
	void hangFiles()
	{
		const std::lock_guard lock(_mutex);
		_filesHang = true;
	}

	/// Files are read again, also those that hung.
	void letFilesGo()
	{
		std::vector<std::function<void()>> hanging;
		{
			const std::lock_guard lock(_mutex);
			_filesHang = false;
			hanging.swap(_hanging);
		}
		for (const auto& work : hanging) {
			work();
		}
		std::unique_lock lock(_mutex);
		settle(lock);
	}

private:
	void arm(runtime::Job& job, Instant at, Instant urgency) override
	{
		const std::lock_guard lock(_mutex);
		_overdue += urgency != runtime::unknownUrgency && urgency <= _now.boot ? 1 : 0;
		_armed[&job] = at;
		_changed.notify_all();
	}

	bool halt(runtime::Job& job, Duration timeout) override
	{
		std::unique_lock lock(_mutex);
		_armed.erase(&job);
		if (_running == &job) {
			_cancelled = true;
		}
		if (const auto waiting = _waiting.find(&job); waiting != _waiting.end()) {
			waiting->second = cancelled;
		}
		_changed.notify_all();
		return _changed.wait_for(lock, timeout, [&] { return _running != &job && !_waiting.contains(&job); });
	}

	/// Files are read at once, on the thread that wants it.
	bool help(std::function<void()> work)
	{
		std::unique_lock lock(_mutex);
		if (_filesHang) {
			_hanging.push_back(std::move(work));
			return true;
		}
		lock.unlock();
		work();
		return true;
	}

	static credential::Reader::Options withoutHints()
	{
		credential::Reader::Options options;
		options.hints = false;
		return options;
	}

	Instant earliest() const
	{
		auto first = Instant::max();
		for (const auto& [job, at] : _waiting) {
			first = std::min(first, at);
		}
		for (const auto& [job, at] : _armed) {
			first = _waiting.contains(job) ? first : std::min(first, at);
		}
		return first;
	}

	/// Returns the job that is due, and how its wait ended.
	std::optional<std::pair<runtime::Job*, Wake>> due() const
	{
		for (const auto& [job, at] : _waiting) {
			if (at <= _now.boot) {
				return std::pair(job, at == cancelled ? Wake::cancelled : Wake::timedOut);
			}
		}
		for (const auto& [job, at] : _armed) {
			if (at <= _now.boot && !_waiting.contains(job)) {
				return std::pair(job, Wake::ready);
			}
		}
		return std::nullopt;
	}

	void settle(std::unique_lock<std::mutex>& lock)
	{
		_changed.wait(lock, [this] { return _running == nullptr && !due(); });
	}

	void work()
	{
		using Exempt = issuer::test::FailingAllocations::Exempt;
		std::optional<Exempt> exempt(std::in_place); // only the jobs' own allocations are under test
		std::unique_lock lock(_mutex);
		while (true) {
			_changed.wait(lock, [this] { return _closing || due(); });
			if (_closing) {
				return;
			}
			const auto [job, wake] = *due();
			_running = job;
			(wake == Wake::ready ? _armed : _waiting).erase(job);
			lock.unlock();
			exempt.reset();
			const auto wait = job->run(wake);
			exempt.emplace();
			lock.lock();
			if (wait) {
				const bool forEver = wait->atMost >= Instant::max() - _now.boot;
				_waiting[job] = _cancelled ? cancelled : forEver ? Instant::max() : _now.boot + wait->atMost;
			}
			_running = nullptr;
			_cancelled = false;
			_changed.notify_all();
		}
	}

	static constexpr auto cancelled = Instant::min();
	Callbacks _callbacks{[](const auto&) { return false; }};
	std::unique_ptr<LoginOffice> _logins = std::make_unique<LoginOffice>();

	const std::shared_ptr<transport::Exchange> _exchange;
	mutable std::mutex _mutex;
	std::condition_variable _changed;
	Moment _now{Instant(std::chrono::hours(5)), WallTime(std::chrono::seconds(1'800'000'000))};
	std::map<runtime::Job*, Instant> _armed;
	std::map<runtime::Job*, Instant> _waiting; ///< in the middle of a run, until then; or `cancelled`
	runtime::Job* _running = nullptr;
	bool _filesHang = false;
	std::vector<std::function<void()>> _hanging;
	int _overdue = 0;
	bool _closing = false;
	bool _cancelled = false; ///< the one that runs
	std::thread _worker;
	std::unique_ptr<credential::Reader> _reader =
		std::make_unique<credential::Reader>([this](std::function<void()> work) { return help(std::move(work)); },
			static_cast<runtime::Scheduler&>(*this), static_cast<const runtime::Clock&>(*this), withoutHints());
};

} // namespace issuer::vault::test
