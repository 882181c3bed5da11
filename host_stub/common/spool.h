#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <issuer/kit/signals_blocked.h>
#include <iterator>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace issuer {

/// A bounded queue whose items a thread of its own writes: a slow writer delays no caller. Beyond the bound the newest
/// are dropped, and the writer is told how many.
template <class Item>
class Spool
{
public:
	struct Terms
	{
		std::size_t capacity = 10'000; ///< most items that may wait
		/// Items that the writer refuses are kept, count as waiting, and are offered again after this time. None: they
		/// are lost.
		std::optional<std::chrono::milliseconds> retry = {};
	};

	/// Is offered all items that wait, in order, and the number dropped since the last call; one of the two may be
	/// zero. Returns false, or throws, if it has taken none of it. Called on the thread alone, where all signals are
	/// blocked.
	using Write = std::function<bool(const std::deque<Item>& items, std::uint64_t dropped)>;

	Spool(Terms terms, Write write) : _terms(terms), _write(std::move(write))
	{
		const kit::SignalsBlocked blocked;
		_thread = std::thread([this] { run(); });
	}
	~Spool() { close(); }
	Spool(const Spool&) = delete;
	Spool& operator=(const Spool&) = delete;

	/// Adds an item. Returns at once. [thread-safe]
	void add(Item item);

	/// Has the items added so far written, for as long as the writer takes them; later ones are dropped.
	void close();

	/// Tells a writer that waits whether it may give up. [thread-safe]
	[[nodiscard]] bool closing() const;

private:
	void run();
	[[nodiscard]] bool written(const std::deque<Item>& items, std::uint64_t dropped) const;

	const Terms _terms;
	const Write _write;
	mutable std::mutex _mutex; ///< guards all below
	std::condition_variable _changed;
	std::deque<Item> _items;
	std::size_t _offered = 0; ///< number of items that the writer holds, and may return
	std::uint64_t _dropped = 0;
	bool _closing = false;
	std::thread _thread;
};

template <class Item>
void Spool<Item>::add(Item item)
{
	{
		const std::lock_guard lock(_mutex);
		if (_closing) {
			return;
		}
		if (_offered + _items.size() >= _terms.capacity) {
			++_dropped;
			return;
		}
		_items.push_back(std::move(item));
	}
	_changed.notify_one();
}

template <class Item>
void Spool<Item>::close()
{
	{
		const std::lock_guard lock(_mutex);
		_closing = true;
	}
	_changed.notify_one();
	if (_thread.joinable()) {
		_thread.join();
	}
}

template <class Item>
bool Spool<Item>::closing() const
{
	const std::lock_guard lock(_mutex);
	return _closing;
}

template <class Item>
void Spool<Item>::run()
{
	std::unique_lock lock(_mutex);
	for (;;) {
		_changed.wait(lock, [this] { return _closing || !_items.empty() || _dropped > 0; });
		if (_items.empty() && _dropped == 0) {
			return;
		}
		const bool last = _closing;
		std::deque<Item> items = std::exchange(_items, {});
		const std::uint64_t dropped = std::exchange(_dropped, 0);
		_offered = _terms.retry ? items.size() : 0;
		lock.unlock();
		const bool taken = written(items, dropped);
		lock.lock();
		_offered = 0;
		if (taken) {
			continue;
		}
		if (_terms.retry && !last) {
			_items.insert(_items.begin(), std::move_iterator(items.begin()), std::move_iterator(items.end()));
			_dropped += dropped;
			_changed.wait_for(lock, *_terms.retry, [this] { return _closing; });
		}
		else if (_closing) {
			return;
		}
	}
}

template <class Item>
bool Spool<Item>::written(const std::deque<Item>& items, std::uint64_t dropped) const
{
	try {
		return _write(items, dropped);
	}
	catch (...) {
		return false; // no thread: the host goes on without these lines
	}
}

} // namespace issuer
