#include "credential/reader_table.h"

#include "base/duration_text.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

namespace issuer::vault::credential {

using namespace std::chrono_literals;

namespace {

/// Most looks that may hang in one file system before its other files wait.
constexpr unsigned freeTries = 2;
/// Most looks that may hang in one file system in all.
constexpr unsigned mostTries = 6;
/// Most further looks at a file whose look hangs.
constexpr std::uint8_t mostRetries = 3;

/// Returns `at` rounded up to a multiple of `to`: files due within the same second are looked at in one go, so that few
/// threads wake up.
Instant roundedUp(Instant at, Duration to)
{
	const auto since = at.time_since_epoch();
	return Instant((since + to - Duration(1)) / to * to);
}

/// Returns the group of a file that no look has come back from yet: assumed to be that of its neighbours in the
/// directory.
std::uint64_t groupOf(std::string_view path)
{
	for (int names = 0; names < 2; ++names) {
		path = path.substr(0, std::min(path.size(), path.rfind('/')));
	}
	return std::hash<std::string_view>()(path) | 1U;
}

std::uint64_t groupOf(dev_t device)
{
	return std::uint64_t{device} << 1U;
}

} // namespace

Reader::Entry::Entry(Table& table, const std::string& path, NewsListener& listener, TextKind kind)
	: _table(table), _path(path), _listener(&listener), _group(groupOf(_path)), _kind(kind)
{
}

std::uint32_t& Reader::Table::positionOf(Entry& entry) noexcept
{
	return entry._position;
}

Reader::Table::Table(Helper helper, runtime::Scheduler& scheduler, const runtime::Clock& clock, Options options)
	: _helper(std::move(helper)), _scheduler(scheduler), _clock(clock), _options(options), _hints(scheduler, clock)
{
}

Reader::Entry& Reader::Table::add(const std::string& path, NewsListener& listener, TextKind kind)
{
	auto entry = std::make_unique<Entry>(*this, path, listener, kind);
	{
		const Lock lock(_mutex);
		_byTime.makeRoom(_byTime.size() + 1);
		_byTime.push(*entry, _clock.boot());
		if (!armAt(_clock.boot() + _options.stuckAfter)) {
			_byTime.erase(*entry);
			throw std::bad_alloc();
		}
	}
	startRound();
	return *entry.release();
}

void Reader::Table::remove(Entry& entry) noexcept
{
	{
		const Lock lock(_mutex);
		_byTime.erase(entry);
		entry._listener = nullptr;
	}
	_hints.forget(entry);
	Lock lock(_mutex);
	letGo(entry, lock);
}

/// Ends a hold on the entry, and with the last one the entry: without the lock, since its news may hold a secret.
void Reader::Table::letGo(Entry& entry, Lock& lock) noexcept
{
	if (--entry._holds == 0) {
		lock.unlock();
		delete &entry;
		lock.lock();
	}
}

std::optional<News> Reader::Table::take(Entry& entry) noexcept
{
	std::unique_ptr<News> news;
	{
		const Lock lock(_mutex);
		news.swap(entry._news);
	}
	return news ? std::optional(std::move(*news)) : std::nullopt;
}

void Reader::Table::setUrgent(Entry& entry, bool urgent) noexcept
{
	const Lock lock(_mutex);
	const bool isNew = urgent && !entry._urgent;
	entry._urgent = urgent;
	if (isNew && entry._look == nullptr) {
		const auto at = inTrouble();
		if (at < _byTime.keyOf(entry)) { // else it may be due already
			_byTime.update(entry, at);
			static_cast<void>(armAt(at));
		}
	}
}

void Reader::Table::lookNow(Entry& entry) noexcept
{
	{
		const Lock lock(_mutex);
		entry._content = {};
		entry._walk = true;
		entry._again = entry._look != nullptr;
		if (entry._look == nullptr) {
			_byTime.update(entry, _clock.boot());
		}
		static_cast<void>(armAt(_clock.boot() + _options.stuckAfter));
	}
	startRound();
}

void Reader::Table::hinted(Entry& entry) noexcept
{
	const Lock lock(_mutex);
	if (entry._listener == nullptr) {
		return;
	}
	entry._walk = true;
	entry._again = entry._look != nullptr;
	if (entry._look == nullptr) {
		const auto at = _clock.boot() + _options.burst;
		_byTime.update(entry, at);
		static_cast<void>(armAt(at));
	}
}

void Reader::Table::close() noexcept
{
	{
		const Lock lock(_mutex);
		_closed = true;
	}
	_hints.close();
	while (!_scheduler.halt(*this, 1h)) {
	}
}

std::optional<Wait> Reader::Table::run(Wake wake) noexcept
{
	if (wake == Wake::cancelled) {
		return std::nullopt;
	}
	{
		const Lock lock(_mutex);
		_armedAt = Instant::max();
		noteHanging();
	}
	startRound();
	const Lock lock(_mutex);
	const auto now = _clock.boot();
	while (!_byTime.empty() && now - std::max(_byTime.topKey(), _progress) >= _options.tellAfter) {
		auto& entry = _byTime.top(); // no helper could be had
		tellHanging(entry, _byTime.topKey());
		_byTime.update(entry, now);
	}
	if (const auto next = nextRun(now); next != Instant::max() && !armAt(next)) {
		return Wait{-1, 0, 1s}; // needs no memory
	}
	return std::nullopt;
}

/// Returns when a file is due, or the look under way will have become stuck; Instant::max(): never.
Instant Reader::Table::nextRun(Instant now) const noexcept
{
	const auto stuck = _moving != nullptr ? _moving->since + _options.stuckAfter : Instant::max();
	if (_byTime.empty()) {
		return stuck;
	}
	const auto due = _byTime.topKey();
	return std::min(stuck, due > now ? due : now + _options.stuckAfter);
}

/// Starts a round, unless one that does not hang is under way, or no file is due.
void Reader::Table::startRound() noexcept
{
	{
		const Lock lock(_mutex);
		const bool isNoneDue = _byTime.empty() || _byTime.topKey() > _clock.boot();
		if (_closed || isNoneDue || _rounds > _stuck || _stuck >= _options.mostStuck) {
			return;
		}
		++_rounds;
	}
	bool started = false;
	try {
		started = _helper([table = shared_from_this()] { table->round(); });
	}
	catch (const std::exception&) {
		// Out of memory: the job tries again.
	}
	if (!started) {
		const Lock lock(_mutex);
		--_rounds;
		static_cast<void>(armAt(_clock.boot() + 1s));
	}
}

void Reader::Table::round() noexcept
{
	Lock lock(_mutex);
	Look look;
	// Clock and scheduler may be gone once the table is closed. Another round goes on where this one was stuck.
	while (!_closed && _rounds - _stuck == 1) {
		Entry* const entry = takeDue(look);
		if (entry == nullptr) {
			break;
		}
		examine(*entry, look, lock);
		letGo(*entry, lock);
	}
	--_rounds;
	if (!_closed && !_byTime.empty()) {
		static_cast<void>(armAt(std::max(_byTime.topKey(), _clock.boot())));
	}
}

Reader::Entry* Reader::Table::takeDue(Look& look) noexcept
{
	const auto now = _clock.boot();
	noteHanging();
	while (!_byTime.empty() && _byTime.topKey() <= now) {
		auto& entry = _byTime.top();
		if (entry._look != nullptr) {
			break; // it counts as hanging since a moment ago
		}
		if (!mayLook(entry, now)) {
			entry._waiting = std::min(entry._waiting, now);
			if (now - entry._waiting >= _options.tellAfter) {
				tellHanging(entry, entry._waiting);
			}
			_byTime.update(entry, inTrouble());
			continue;
		}
		entry._waiting = Instant::max();
		_progress = now;
		look = {&entry, now, entry._group};
		entry._look = _moving = &look;
		_byTime.update(entry, now + _options.stuckAfter);
		static_cast<void>(armAt(now + _options.stuckAfter));
		++entry._holds;
		return &entry;
	}
	return nullptr;
}

void Reader::Table::examine(Entry& entry, Look& look, Lock& lock) noexcept
{
	const auto before = entry._content;
	const bool walk = _options.hints && entry._walk;
	entry._walk = entry._walk && !walk;
	std::optional<FileLook> found;
	std::optional<std::string> gap;
	try {
		const std::string path = entry._path; // a copy: the owner may close the file meanwhile
		lock.unlock();
		if (walk) {
			gap = _hints.follow(entry, path);
		}
		found = lookAt(path, before, entry._kind);
		if (!walk && _options.hints && !found->unchanged && found->trouble.empty()) {
			gap = _hints.follow(entry, path); // it changed without a hint, so another path may lead to it now
			found = lookAt(path, before, entry._kind);
		}
	}
	catch (const std::exception&) {
		found.reset(); // out of memory: looks again shortly
	}
	if (!lock.owns_lock()) {
		lock.lock();
	}
	if (look.stuck) {
		isNoLongerStuck(look);
	}
	else {
		_moving = nullptr;
	}
	if (entry._listener == nullptr) {
		lock.unlock();
		_hints.forget(entry); // it may have been followed after it was closed
		lock.lock();
	}
	else if (entry._look == &look) {
		entry._look = nullptr;
		entry._retries = 0;
		try {
			if (found) {
				conclude(entry, std::move(*found), std::move(gap));
			}
			entry._walk = entry._walk || !found;
		}
		catch (const std::exception&) {
			entry._content = {};
		}
		plan(entry);
	}
}

/// Turns the result of a look into news.
void Reader::Table::conclude(Entry& entry, FileLook found, std::optional<std::string> gap)
{
	if (gap && !entry._gapTold) {
		if (!entry._news) {
			entry._news = std::make_unique<News>();
		}
		entry._news->note = std::move(*gap);
		entry._gapTold = true;
	}
	if (!found.trouble.empty()) {
		entry._content = {};
		tell(entry, entry.name() + " " + found.trouble, false);
		return;
	}
	if (found.unchanged && entry._trouble) {
		entry._again = true; // told as hanging: another look brings the token as news
		return;
	}
	_hanging.erase(entry._group); // the file system answers, for the others as well
	entry._group = groupOf(found.device);
	entry._content = found.content;
	if (!found.unchanged) {
		if (!entry._news) {
			entry._news = std::make_unique<News>();
		}
		entry._news->token = std::move(found.token);
		entry._news->trouble.clear();
		entry._news->hanging = false;
		entry._trouble.reset();
		entry._listener->newsRead();
	}
}

/// Sets the time of the file's next look.
void Reader::Table::plan(Entry& entry) noexcept
{
	const auto now = _clock.boot();
	const bool isSoon = entry._urgent || entry._content.digest == 0;
	const auto at = entry._again ? now + _options.burst
					: isSoon     ? inTrouble()
								 : roundedUp(now + _options.every - spread(), 1s);
	entry._again = false;
	_byTime.update(entry, at);
	static_cast<void>(armAt(at));
}

/// Returns when to look next at a file that is in trouble, or whose owner is.
Instant Reader::Table::inTrouble() const noexcept
{
	return roundedUp(_clock.boot() + _options.inTrouble, 250ms);
}

/// Counts the looks that hang, and tells of those that hang for long.
void Reader::Table::noteHanging() noexcept
{
	const auto now = _clock.boot();
	if (_moving != nullptr && now - _moving->since >= _options.stuckAfter) { // others may be due since longer
		becomesStuck(*std::exchange(_moving, nullptr), now);
	}
	while (!_byTime.empty() && _byTime.topKey() <= now && _byTime.top()._look != nullptr) {
		auto& entry = _byTime.top();
		const auto& look = *entry._look;
		if (!entry._trouble || now - look.since < _options.again) {
			tellHanging(entry, look.since);
			const auto again = look.since + _options.again * (1U << entry._retries);
			_byTime.update(entry, std::max(again, now + _options.stuckAfter));
		}
		else if (entry._retries < mostRetries && _stuck < _options.mostStuck / 2) {
			++entry._retries;
			entry._look = nullptr; // its result no longer counts
			entry._walk = true;
		}
		else {
			_byTime.update(entry, now + 1h);
		}
	}
}

void Reader::Table::becomesStuck(Look& look, Instant now) noexcept
{
	look.stuck = true;
	++_stuck;
	if (look.entry->_listener != nullptr) { // otherwise it was closed
		_byTime.update(*look.entry, look.since + _options.tellAfter);
	}
	try {
		auto& hanging = _hanging[look.group];
		++hanging.looks;
		hanging.pause = std::clamp(hanging.pause * 2, _options.again, Duration(1h));
		hanging.nextTry = now + hanging.pause;
	}
	catch (const std::exception&) {
		// Out of memory: the neighbours of the file find out for themselves.
	}
}

void Reader::Table::isNoLongerStuck(const Look& look) noexcept
{
	--_stuck;
	const auto hanging = _hanging.find(look.group);
	if (hanging != _hanging.end() && --hanging->second.looks == 0) {
		_hanging.erase(hanging);
	}
}

/// Returns whether the file's system answers, as far as is known, or one more look is worth the risk.
bool Reader::Table::mayLook(const Entry& entry, Instant now) noexcept
{
	const auto hanging = _hanging.find(entry._group);
	if (hanging == _hanging.end() || hanging->second.looks < freeTries) {
		return true;
	}
	return hanging->second.looks < mostTries && hanging->second.nextTry <= now;
}

void Reader::Table::tellHanging(Entry& entry, Instant since) noexcept
{
	if (entry._trouble) {
		return;
	}
	try {
		const auto waited = std::chrono::floor<std::chrono::seconds>(_clock.boot() - since);
		entry._content = {};
		tell(entry,
			entry.name() + " has not answered for " + durationText(waited) +
				": its file system hangs, or no thread is left to read it",
			true);
	}
	catch (const std::exception&) {
		// Out of memory: told later.
	}
}

void Reader::Table::tell(Entry& entry, std::string trouble, bool hanging) noexcept
{
	if (entry._trouble && trouble == *entry._trouble) {
		return;
	}
	try {
		auto& news = entry._news ? entry._news : entry._news = std::make_unique<News>();
		news->trouble = trouble;
		news->hanging = hanging;
		entry._trouble = std::make_unique<std::string>(std::move(trouble));
		entry._listener->newsRead();
	}
	catch (const std::exception&) {
		// Out of memory: told after the next look.
	}
}

/// Arms the job. Returns false if out of memory: the job is armed as before. Each run of the job ends with a next one,
/// so that a failure elsewhere only makes it late.
bool Reader::Table::armAt(Instant at) noexcept
{
	if (_closed || at >= _armedAt) {
		return true;
	}
	try {
		_scheduler.arm(*this, at, Instant::min());
		_armedAt = at;
		return true;
	}
	catch (const std::exception&) {
		return false;
	}
}

/// Returns a random duration up to an eighth of the interval, so that ten thousand files are not due in the same
/// second.
Duration Reader::Table::spread() noexcept
{
	_dice = _dice * 1664525U + 1013904223U;
	return _options.every / 8 * (_dice >> 16U) / 0x10000;
}

} // namespace issuer::vault::credential
