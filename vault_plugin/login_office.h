#pragma once

#include "base/shared_values.h"
#include "base/time.h"
#include "credential/material.h"
#include "login_queue.h"
#include "renewal/login_budget.h"
#include "renewal/login_facts.h"
#include "transport/settings.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::vault {

/// Shared by all logins of the library, so that together they neither lock an identity out nor storm a server.
/// [thread-safe]
class LoginOffice
{
public:
	/// The logins of all issuers at one mount of one server. A closed loop rather than a rate: the server's own speed
	/// paces us.
	struct Lane
	{
		std::vector<transport::Address> addresses;
		std::string mount;
		std::uint32_t atMost; ///< logins in flight

		friend auto operator<=>(const Lane&, const Lane&) = default;
	};

	/// Returns the lane; the same object for equal arguments, for as long as it is held.
	[[nodiscard]] std::shared_ptr<const Lane> lane(
		const transport::Settings& settings, const std::string& mount, renewal::LoginMethod method);

	/// Takes a sink for one issuer, until releaseSink(). Returns false if another one has it.
	[[nodiscard]] bool claimSink(const std::string& file);
	void releaseSink(const std::string& file) noexcept;

	/// As LoginBudget's. A login that must wait for others is called by its waiter as soon as they have ended.
	[[nodiscard]] renewal::LoginBudget::Leave ask(
		Instant now, std::uint64_t identity, const LoginQueue::Wish& wish, Instant urgency, LoginQueue::Waiter& waiter);
	/// Takes that a waiter makes no login after all, called or not. No effect if it does not wait.
	void leave(LoginQueue::Waiter& waiter) noexcept;
	void heard(std::uint64_t identity);
	[[nodiscard]] bool hasRefused(Instant now, std::uint64_t identity) const;
	void ended(Instant now, std::uint64_t identity, std::uint64_t material, renewal::LoginBudget::Result result);
	[[nodiscard]] renewal::LoginBudget::Row rowOf(Instant now, std::uint64_t identity, std::uint64_t material) const;
	void inherit(Instant now, std::uint64_t identity, const renewal::LoginBudget::Row& row);

	/// Returns the key of all marks of this library.
	[[nodiscard]] credential::MarkKey markKey();
	/// Takes the key of a predecessor, whose marks are handed over, unless marks were made with another before.
	void adoptMarkKey(const credential::MarkKey& key);

private:
	/// Longest time for which a login waits to be called: for the case that a call was lost for a lack of memory.
	static constexpr auto longestWait = std::chrono::seconds(30);

	void callNext(std::uint64_t identity);

	SharedValues<Lane> _lanes;
	/// Guards all below. Taken under the locks of logins; under it only the scheduler's, by a waiter that is called.
	mutable std::mutex _mutex;
	renewal::LoginBudget _budget{{.turn = longestWait}};
	LoginQueue _queue;
	std::optional<credential::MarkKey> _key;
	std::set<std::string> _sinks; ///< files that an issuer writes
};

} // namespace issuer::vault
