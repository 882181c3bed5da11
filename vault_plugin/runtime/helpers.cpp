#include "runtime/helpers.h"

#include "runtime/signals_blocked.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <new>
#include <optional>
#include <pthread.h>
#include <semaphore>
#include <set>
#include <string_view>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace issuer::vault::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using Lock = std::unique_lock<std::mutex>;

/// Most slow keys that are remembered: bounds the memory for keys that were slow once and are never asked for again.
constexpr std::size_t mostSlowKeys = 4096;

/// Keeps the library mapped until a helper, which may never be joined, has ended: glibc unloads no library that has a
/// destructor of a thread_local to run in some thread.
struct Pin
{
	Pin() noexcept {}
	~Pin() { touched = false; }
	volatile bool touched = false;
};

thread_local Pin pin;

/// Counts the helpers by the state of their work.
struct Tally
{
	std::size_t free = 0;    ///< without work
	std::size_t moving = 0;  ///< at work and not stuck
	std::size_t slow = 0;    ///< at work for slow keys, the stuck ones included
	std::size_t slowYet = 0; ///< at work for slow keys, the stuck ones excluded
};

struct Work
{
	std::string key;
	std::function<void()> run;
	std::uint64_t number = 0; ///< order of submission
};

struct Helper
{
	std::thread thread;
	std::string_view key; ///< key of its work; borrowed from the stack of the helper
	Clock::time_point since;
	bool working = false;
	bool stuck = false; ///< its work has lasted for longer than `stuckAfter`
	bool slow = false;  ///< its key was slow when it took the work, or it is stuck
};

} // namespace

struct Helpers::Crew : std::enable_shared_from_this<Crew>
{
	using Place = std::list<Helper>::iterator;

	explicit Crew(Options chosen) : options(chosen) {}

	[[nodiscard]] bool submit(Work work);
	void close() noexcept;

	void help(Place self) noexcept;
	[[nodiscard]] bool next(Place self, Work& work, Lock& lock) noexcept;
	void finished(Place self) noexcept;
	[[nodiscard]] Tally count() const noexcept;
	[[nodiscard]] std::deque<Work>* takeable() noexcept;
	void sortOutSlow() noexcept;
	void noteStuck(Clock::time_point now) noexcept;
	[[nodiscard]] std::optional<Clock::time_point> nextStuck() const noexcept;
	void remember(std::string_view slowKey) noexcept;
	[[nodiscard]] bool isSlow(const std::string& key) const { return slowKeys.contains(key); }
	[[nodiscard]] std::size_t queued() const noexcept { return queue.size() + slowQueue.size(); }
	void startOneIfNeeded();
	void start();

	const Options options;
	const pid_t process = ::getpid();
	std::mutex mutex;
	/// Notified when work was queued, when a helper has finished its work, and when it is closed.
	std::condition_variable changed;
	std::deque<Work> queue;
	std::deque<Work> slowQueue; ///< work of slow keys
	std::set<std::string, std::less<>> slowKeys;
	std::list<Helper> helpers;
	std::uint64_t submitted = 0;
	bool closed = false;
};

bool Helpers::Crew::submit(Work work)
{
	const Lock lock(mutex);
	work.number = ++submitted;
	auto& line = isSlow(work.key) ? slowQueue : queue;
	line.push_back(std::move(work));
	try {
		startOneIfNeeded();
	}
	catch (...) {
		if (helpers.empty()) {
			line.pop_back(); // no helper can have taken it: there is none
			throw;
		}
	}
	if (helpers.empty()) {
		line.pop_back();
		return false;
	}
	changed.notify_one();
	return true;
}

/// Starts a helper if the queue needs one: to do the work, or to wait until those at work turn out to be stuck. Throws
/// std::bad_alloc. Where the machine has no thread left it does nothing.
void Helpers::Crew::startOneIfNeeded()
{
	const auto now = count();
	const bool isHelpWanted = now.free == 0 || (now.free < queued() && now.moving + now.free < options.most);
	if (queued() > 0 && isHelpWanted && helpers.size() < options.mostEver) {
		try {
			start();
		}
		catch (const std::system_error&) {
			// The existing helpers take the work when they are free.
		}
	}
}

void Helpers::Crew::start()
{
	const auto place = helpers.emplace(helpers.end());
	try {
		const SignalsBlocked inherited;
		const auto pinned = std::make_shared<std::binary_semaphore>(0);
		place->thread = std::thread([crew = shared_from_this(), place, pinned] {
			pin.touched = true;
			::pthread_setname_np(::pthread_self(), "issuer-helper");
			pinned->release();
			crew->help(place);
		});
		pinned->acquire(); // from here on the library cannot be unmapped under the helper
	}
	catch (...) {
		helpers.erase(place);
		throw;
	}
}

void Helpers::Crew::help(Place self) noexcept
{
	Lock lock(mutex);
	for (Work work; next(self, work, lock);) {
		try {
			startOneIfNeeded(); // this was the spare helper that waited; another takes its part
		}
		catch (const std::bad_alloc&) {
			// No thread, no memory: the next helper to finish takes the queued work.
		}
		lock.unlock();
		try {
			work.run();
		}
		catch (...) {
			// Swallowed, as submit() promises: the work reports its own failure.
		}
		work.run = nullptr; // destroyed before the helper counts as free, so that its captures end first
		lock.lock();
		finished(self);
	}
	if (!closed) { // otherwise close() has taken the thread over
		self->thread.detach();
		helpers.erase(self);
	}
}

/// Blocks until there is work that may be taken now. Returns false when none has come for `linger`, or when closed.
bool Helpers::Crew::next(Place self, Work& work, Lock& lock) noexcept
{
	const auto until = Clock::now() + options.linger;
	while (!closed) {
		const auto now = Clock::now();
		noteStuck(now);
		if (auto* const line = takeable()) {
			work = std::move(line->front());
			line->pop_front();
			self->key = work.key;
			self->since = now;
			self->working = true;
			self->slow = line == &slowQueue;
			return true;
		}
		const bool isNothingQueued = queued() == 0;
		if (isNothingQueued && now >= until) {
			return false;
		}
		const auto wakeAt = isNothingQueued ? until : nextStuck();
		wakeAt ? static_cast<void>(changed.wait_until(lock, *wakeAt)) : changed.wait(lock);
	}
	return false;
}

void Helpers::Crew::finished(Place self) noexcept
{
	noteStuck(Clock::now()); // this helper itself may have become stuck
	if (!self->stuck) {
		if (const auto known = slowKeys.find(self->key); known != slowKeys.end()) {
			slowKeys.erase(known);
		}
	}
	self->working = self->stuck = self->slow = false;
	self->key = {};
	if (closed) {
		changed.notify_all();
	}
	else if (queued() > 0) {
		changed.notify_one();
	}
}

Tally Helpers::Crew::count() const noexcept
{
	Tally tally;
	for (const auto& helper : helpers) {
		const bool moves = helper.working && !helper.stuck;
		tally.free += helper.working ? 0U : 1U;
		tally.moving += moves ? 1U : 0U;
		tally.slow += helper.working && helper.slow ? 1U : 0U;
		tally.slowYet += moves && helper.slow ? 1U : 0U;
	}
	return tally;
}

/// Returns the queue whose first piece of work is to be done now; null if none may be.
std::deque<Work>* Helpers::Crew::takeable() noexcept
{
	const auto now = count();
	if (now.moving >= options.most) {
		return nullptr;
	}
	sortOutSlow();
	const bool maySlow = now.slowYet < std::max(options.most / options.slowShare, 1U) &&
						 now.slow < std::max(options.mostEver / options.slowShare, 1U);
	if (slowQueue.empty() || !maySlow) {
		return queue.empty() ? nullptr : &queue;
	}
	return queue.empty() || slowQueue.front().number < queue.front().number ? &slowQueue : &queue;
}

/// Moves queued work whose key has become slow meanwhile to the slow queue.
void Helpers::Crew::sortOutSlow() noexcept
{
	try {
		while (!queue.empty() && isSlow(queue.front().key)) {
			slowQueue.push_back(std::move(queue.front()));
			queue.pop_front();
		}
	}
	catch (const std::bad_alloc&) {
		// Out of memory: it stays in its queue, as if its key were not slow.
	}
}

void Helpers::Crew::noteStuck(Clock::time_point now) noexcept
{
	for (auto& helper : helpers) {
		if (helper.working && !helper.stuck && now - helper.since >= options.stuckAfter) {
			helper.stuck = true;
			helper.slow = true;
			remember(helper.key);
		}
	}
}

/// Returns when the helper that has been at work for longest counts as stuck.
std::optional<Clock::time_point> Helpers::Crew::nextStuck() const noexcept
{
	std::optional<Clock::time_point> next;
	for (const auto& helper : helpers) {
		if (helper.working && !helper.stuck) {
			const auto at = helper.since + options.stuckAfter;
			next = next ? std::min(*next, at) : at;
		}
	}
	return next;
}

void Helpers::Crew::remember(std::string_view slowKey) noexcept
{
	try {
		if (slowKeys.size() >= mostSlowKeys) {
			slowKeys.clear();
		}
		slowKeys.emplace(slowKey);
	}
	catch (const std::bad_alloc&) {
		// Out of memory: the key is treated as one that answers.
	}
}

void Helpers::Crew::close() noexcept
{
	std::deque<Work> dropped;
	std::deque<Work> slowDropped;
	Lock lock(mutex);
	closed = true;
	dropped.swap(queue);
	slowDropped.swap(slowQueue);
	changed.notify_all();
	const auto until = Clock::now() + options.grace;
	changed.wait_until(lock, until, [&] {
		return std::ranges::none_of(
			helpers, [&](const Helper& helper) { return helper.working && helper.since + 2 * options.grace > until; });
	});
	for (auto& helper : helpers) {
		if (helper.working) {
			helper.thread.detach();
		}
	}
	lock.unlock();
	for (auto& helper : helpers) { // unchanged from now on
		if (helper.thread.joinable()) {
			helper.thread.join();
		}
	}
}

Helpers::Helpers() : Helpers(Options{}) {}

Helpers::Helpers(Options options) : _crew(std::make_shared<Crew>(options)) {}

Helpers::~Helpers()
{
	if (_crew->process == ::getpid()) {
		_crew->close();
	}
	else {
		// Leaked: destroying a condition variable blocks until its waiters have left.
		static_cast<void>(new std::shared_ptr<Crew>(std::move(_crew)));
	}
}

bool Helpers::submit(std::string key, std::function<void()> work)
{
	return _crew->submit({std::move(key), std::move(work)});
}

unsigned Helpers::threads() const
{
	const Lock lock(_crew->mutex);
	return static_cast<unsigned>(_crew->helpers.size());
}

} // namespace issuer::vault::runtime
