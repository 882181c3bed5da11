#include "login_queue.h"

#include <optional>
#include <utility>

namespace issuer::vault {

void LoginQueue::join(std::uint64_t identity, const Wish& wish, Instant urgency, Waiter& waiter)
{
	waiter._at = _identities[identity].emplace(urgency, Entry{&waiter, wish});
	waiter._identity = identity;
}

std::optional<std::uint64_t> LoginQueue::leave(Waiter& waiter) noexcept
{
	const auto identity = std::exchange(waiter._identity, {});
	if (identity) {
		const auto found = _identities.find(*identity);
		found->second.erase(waiter._at);
		if (found->second.empty()) {
			_identities.erase(found);
		}
	}
	return identity;
}

void LoginQueue::callNext(
	std::uint64_t identity, const std::function<bool(const Wish& wish, unsigned called)>& mustWait)
{
	const auto found = _identities.find(identity);
	if (found == _identities.end()) {
		return;
	}
	unsigned called = 0;
	for (const auto& [urgency, entry] : found->second) {
		called += entry.called ? 1 : 0;
	}
	std::optional<Wish> waits; // almost always that of all
	for (auto& [urgency, entry] : found->second) {
		if (entry.called || entry.wish == waits) {
			continue;
		}
		if (mustWait(entry.wish, called)) {
			waits = entry.wish;
			continue;
		}
		entry.called = true;
		++called;
		entry.waiter->turnCame(urgency);
	}
}

} // namespace issuer::vault
