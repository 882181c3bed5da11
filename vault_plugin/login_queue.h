#pragma once

#include "base/time.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

namespace issuer::vault {

/// The logins that wait for others of their identity to end. The most urgent one is called first. Not thread-safe: the
/// owner guards it.
class LoginQueue
{
public:
	class Waiter;

	/// The login that a waiter wants to make.
	struct Wish
	{
		std::uint64_t material = 0;
		bool doubtful = false;

		friend bool operator==(const Wish&, const Wish&) = default;
	};

private:
	struct Entry
	{
		Waiter* waiter;
		Wish wish;
		bool called = false;
	};
	using Entries = std::multimap<Instant, Entry>; ///< by urgency; of equal ones the first comes first

public:
	/// A login that may wait. In one queue at a time, and only until leave().
	class Waiter
	{
	public:
		Waiter() = default;
		Waiter(const Waiter&) = delete;
		Waiter& operator=(const Waiter&) = delete;
		virtual ~Waiter() = default;

		/// Has the login ask again, or leave, soon. Called under the owner's lock: it takes no lock of a login.
		virtual void turnCame(Instant urgency) noexcept = 0;

	private:
		friend LoginQueue;
		std::optional<std::uint64_t> _identity; ///< of the login that it waits for; none: it does not wait
		Entries::iterator _at = {};
	};

	/// Adds a waiter, which is in no queue. Throws std::bad_alloc with nothing changed.
	void join(std::uint64_t identity, const Wish& wish, Instant urgency, Waiter& waiter);

	/// Removes a waiter, called or not. Returns the identity that it waited for; none: it did not wait.
	std::optional<std::uint64_t> leave(Waiter& waiter) noexcept;

	/// Calls the waiters of an identity that need not wait any more. `mustWait` judges one, given the number of those
	/// that were called before and have not asked yet.
	void callNext(std::uint64_t identity, const std::function<bool(const Wish& wish, unsigned called)>& mustWait);

private:
	std::map<std::uint64_t, Entries> _identities;
};

} // namespace issuer::vault
