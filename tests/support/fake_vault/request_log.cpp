#include "fake_vault/request_log.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>

namespace issuer::test {
namespace {

int countIn(const RequestLog::Entries& entries, const std::string& call, const std::string& who)
{
	return static_cast<int>(std::ranges::count_if(
		entries, [&](const auto& entry) { return entry.call == call && (who.empty() || entry.who == who); }));
}

} // namespace

void RequestLog::add(Entry entry)
{
	const std::lock_guard lock(_mutex);
	_entries.push_back(std::move(entry));
	_added.notify_all();
}

RequestLog::Entries RequestLog::entries() const
{
	const std::lock_guard lock(_mutex);
	return _entries;
}

int RequestLog::count(const std::string& call, const std::string& who) const
{
	const std::lock_guard lock(_mutex);
	return countIn(_entries, call, who);
}

bool RequestLog::waitForCount(const std::string& call, int count, const std::string& who) const
{
	return waitFor([&](const Entries& entries) { return countIn(entries, call, who) >= count; });
}

bool RequestLog::waitFor(const std::function<bool(const Entries&)>& condition, std::chrono::seconds limit) const
{
	std::unique_lock lock(_mutex);
	return _added.wait_for(lock, limit, [&] { return condition(_entries); });
}

} // namespace issuer::test
