#include "login_office.h"

namespace issuer::vault {

using renewal::LoginBudget;
using renewal::LoginMethod;

namespace {

/// Returns how many logins may be in flight. Each by password costs the server 70 ms of a processor.
std::uint32_t mostInFlight(LoginMethod method)
{
	switch (method) {
	case LoginMethod::userpass:
	case LoginMethod::ldap:
		return 2;
	case LoginMethod::appRole:
	case LoginMethod::kubernetes:
	case LoginMethod::jwt:
	case LoginMethod::certificate:
	case LoginMethod::wrappedToken:
		return 4;
	}
	return 1; // unreachable: the switch names every method
}

} // namespace

std::shared_ptr<const LoginOffice::Lane> LoginOffice::lane(
	const transport::Settings& settings, const std::string& mount, LoginMethod method)
{
	return _lanes.share(Lane{settings.addresses, mount, mostInFlight(method)});
}

bool LoginOffice::claimSink(const std::string& file)
{
	const std::lock_guard lock(_mutex);
	return _sinks.insert(file).second;
}

void LoginOffice::releaseSink(const std::string& file) noexcept
{
	const std::lock_guard lock(_mutex);
	_sinks.erase(file);
}

LoginBudget::Leave LoginOffice::ask(
	Instant now, std::uint64_t identity, const LoginQueue::Wish& wish, Instant urgency, LoginQueue::Waiter& waiter)
{
	const std::lock_guard lock(_mutex);
	_queue.leave(waiter);
	auto answer = _budget.ask(now, identity, wish.material, wish.doubtful);
	if (answer.waits) {
		_queue.join(identity, wish, urgency, waiter);
	}
	return answer;
}

void LoginOffice::leave(LoginQueue::Waiter& waiter) noexcept
{
	const std::lock_guard lock(_mutex);
	if (const auto identity = _queue.leave(waiter)) {
		callNext(*identity); // it may have been called in the place of others
	}
}

/// Calls the logins of an identity that need not wait any more.
void LoginOffice::callNext(std::uint64_t identity)
{
	_queue.callNext(identity, [&](const LoginQueue::Wish& wish, unsigned called) {
		return _budget.mustWait(identity, wish.material, wish.doubtful, called);
	});
}

void LoginOffice::heard(std::uint64_t identity)
{
	const std::lock_guard lock(_mutex);
	_budget.heard(identity);
	callNext(identity);
}

bool LoginOffice::hasRefused(Instant now, std::uint64_t identity) const
{
	const std::lock_guard lock(_mutex);
	return _budget.hasRefused(now, identity);
}

void LoginOffice::ended(Instant now, std::uint64_t identity, std::uint64_t material, LoginBudget::Result result)
{
	const std::lock_guard lock(_mutex);
	_budget.ended(now, identity, material, result);
	callNext(identity);
}

LoginBudget::Row LoginOffice::rowOf(Instant now, std::uint64_t identity, std::uint64_t material) const
{
	const std::lock_guard lock(_mutex);
	return _budget.rowOf(now, identity, material);
}

void LoginOffice::inherit(Instant now, std::uint64_t identity, const LoginBudget::Row& row)
{
	const std::lock_guard lock(_mutex);
	_budget.inherit(now, identity, row);
}

credential::MarkKey LoginOffice::markKey()
{
	const std::lock_guard lock(_mutex);
	if (!_key) {
		_key = credential::anyMarkKey();
	}
	return *_key;
}

void LoginOffice::adoptMarkKey(const credential::MarkKey& key)
{
	const std::lock_guard lock(_mutex);
	if (!_key) {
		_key = key;
	}
}

} // namespace issuer::vault
