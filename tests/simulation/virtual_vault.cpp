#include "virtual_vault.h"

#include <algorithm>

namespace issuer::simulation {

using namespace std::chrono_literals;
using vault::renewal::Answer;
using vault::renewal::Grant;
using vault::renewal::Reason;
using vault::renewal::TokenFacts;
using vault::renewal::Trouble;

namespace {

constexpr seconds systemMaxTtl = 768h;

test::ServerTime serverTime(Instant instant)
{
	return test::ServerTime(instant.time_since_epoch());
}

WallTime wallTime(Instant instant)
{
	return WallTime(instant.time_since_epoch());
}

Answer trouble(Trouble::Kind kind, Reason reason, const char* detail)
{
	return Trouble{kind, reason, {}, detail};
}

Answer deadOrUnknown()
{
	return trouble(Trouble::Kind::refused, Reason::refused, "permission denied");
}

} // namespace

VirtualVault::VirtualVault(const TokenPlan& plan, Instant now)
	: _kind(plan.kind), _firstLease(plan.lease), _maxTtl(plan.maxTtl), _maxTtlShown(plan.maxTtlShown),
	  _uses(plan.kind == Kind::limitedUses ? plan.uses : 0), _lease(plan.lease)
{
	const auto renewed = now - plan.spent.of(plan.lease);
	const auto about = renewed - plan.renewedBefore * Duration(plan.lease) / 2;
	_issued = std::chrono::floor<seconds>(about) + plan.issuedAfter;
	if (_issued > now) {
		_issued -= 1s;
	}
	if (_kind == Kind::firstRoot || _kind == Kind::createdRoot) {
		_end = Instant::max();
		return;
	}
	_end = _issued;
	extend(_issued, {});
	if (renewed > _issued && renewed < _end && renewable()) {
		extend(renewed, {});
	}
}

bool VirtualVault::renewable() const
{
	switch (_kind) {
	case Kind::service:
	case Kind::roleService:
	case Kind::periodic:
	case Kind::rolePeriodic:
	case Kind::limitedUses:
		return true;
	case Kind::batch:
	case Kind::notRenewable:
	case Kind::firstRoot:
	case Kind::createdRoot:
		return false;
	}
	return false;
}

bool VirtualVault::periodic() const
{
	return _kind == Kind::periodic || _kind == Kind::rolePeriodic;
}

std::optional<Instant> VirtualVault::maxTtlEnd() const
{
	if (periodic() && _maxTtl == 0s) {
		return {};
	}
	return std::chrono::floor<seconds>(_issued) + (_maxTtl == 0s ? systemMaxTtl : std::min(_maxTtl, systemMaxTtl));
}

seconds VirtualVault::usualLease() const
{
	return _kind == Kind::service || _kind == Kind::limitedUses ? _lease : _firstLease;
}

std::optional<test::lease::Grant> VirtualVault::extend(Instant now, std::optional<seconds> increment)
{
	const auto wanted = increment.value_or(0s) > 0s ? *increment : usualLease();
	const test::lease::Limits limits{systemMaxTtl, _maxTtl, periodic() ? _firstLease : 0s};
	auto given = test::lease::grant(serverTime(_issued), serverTime(now), wanted, limits);
	if (given) {
		_lease = given->ttl;
		_end = now + given->ttl;
	}
	return given;
}

bool VirtualVault::use(Instant now)
{
	if (!alive(now)) {
		return false;
	}
	if (_uses > 0 && --_uses == 0) {
		_uses = -1;
		kill(now);
	}
	return true;
}

void VirtualVault::kill(Instant now)
{
	if (alive(now)) {
		_end = now;
		_killed = true;
	}
}

Answer VirtualVault::lookUp(Instant now)
{
	if (!use(now)) {
		return deadOrUnknown();
	}
	TokenFacts facts;
	facts.creationTime = wallTime(std::chrono::floor<seconds>(_issued));
	facts.creationTtl = _firstLease;
	facts.usesLeft = _uses;
	facts.batch = _kind == Kind::batch;
	facts.renewable = renewable() || _kind == Kind::firstRoot; // which has no such field
	if (_end == Instant::max()) {
		facts.expires = false;
		facts.creationTtl = {};
		return facts;
	}
	facts.ttl = test::lease::shownTtl(serverTime(_end), serverTime(now));
	facts.expireTime = wallTime(_end);
	facts.period = _kind == Kind::periodic ? _firstLease : 0s;
	facts.explicitMaxTtl = _maxTtlShown ? _maxTtl : 0s;
	return facts;
}

Answer VirtualVault::renew(Instant now, std::optional<Duration> increment)
{
	if (!use(now)) {
		return deadOrUnknown();
	}
	switch (_kind) {
	case Kind::batch:
		return trouble(Trouble::Kind::batch, Reason::batch, "batch tokens cannot be renewed");
	case Kind::firstRoot:
		return trouble(Trouble::Kind::noLease, Reason::none, "invalid lease ID");
	case Kind::createdRoot:
	case Kind::notRenewable:
		return trouble(Trouble::Kind::notRenewable, Reason::notRenewable, "lease is not renewable");
	case Kind::service:
	case Kind::roleService:
	case Kind::periodic:
	case Kind::rolePeriodic:
	case Kind::limitedUses:
		break;
	}
	if (_killed) {
		return trouble(Trouble::Kind::gone, Reason::refused, "token not found");
	}
	std::optional<seconds> wanted;
	if (increment) {
		wanted = std::chrono::floor<seconds>(*increment);
	}
	const auto given = extend(now, wanted);
	if (!given) {
		return trouble(Trouble::Kind::pastMaxTtl, Reason::maxTtl, "past the max TTL, cannot renew");
	}
	return Grant{given->ttl, given->warning && given->warning->starts_with("TTL")};
}

void VirtualVault::renewBySomebodyElse(Instant now, seconds increment)
{
	if (alive(now) && renewable() && !periodic() && _kind != Kind::limitedUses) {
		extend(now, std::max(increment, 1s));
	}
}

void VirtualVault::revoke(Instant now)
{
	kill(now);
}

} // namespace issuer::simulation
