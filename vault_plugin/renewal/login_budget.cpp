#include "renewal/login_budget.h"

#include "renewal/format.h"

#include <algorithm>
#include <utility>

namespace issuer::vault::renewal {

/// Forgets refusals once none came for so long that the server has forgotten them too.
void LoginBudget::forget(Row& identity, Instant now) const
{
	if (identity.latestRefusal != Instant::min() && now - identity.latestRefusal >= _limits.forgets) {
		identity.refusals = 0;
		identity.latestRefusal = Instant::min();
		for (auto& [mark, material] : identity.materials) {
			material.refusals = material.lost = 0;
		}
	}
	std::erase_if(identity.materials, [&](const auto& entry) {
		const auto& material = entry.second;
		return material.underWay == 0 && material.refusals + material.lost == 0 && !material.proven;
	});
}

/// Erases the rows that are not asked about any more: identities of issuers that are gone, material that was replaced,
/// and the rows of a predecessor whose marks are made with another key.
void LoginBudget::forgetUnasked(Instant now)
{
	if (now < _swept + _limits.forgets) {
		return;
	}
	_swept = now;
	for (auto& [mark, identity] : _identities) {
		forget(identity, now);
		std::erase_if(identity.materials, [&, &asked = identity.asked](const auto& one) {
			const auto& material = one.second;
			const bool isKnown = material.underWay > 0 || material.refusals + material.lost > 0;
			return !isKnown && now - asked[one.first] >= _limits.remembers;
		});
		std::erase_if(identity.asked,
			[&materials = identity.materials](const auto& one) { return !materials.contains(one.first); });
	}
	std::erase_if(_identities, [](const auto& entry) {
		const auto& identity = entry.second;
		return identity.materials.empty() && identity.underWay == 0 && identity.refusals == 0;
	});
}

LoginBudget::Leave LoginBudget::ask(Instant now, std::uint64_t identityMark, std::uint64_t materialMark, bool doubtful)
{
	forgetUnasked(now);
	auto& identity = _identities[identityMark];
	forget(identity, now);
	auto& material = identity.materials[materialMark];
	identity.asked[materialMark] = now;
	material.proven = material.proven && !doubtful;
	if (isSpent(identity, material)) {
		const auto ago = format::lifeInWords(now - identity.latestRefusal);
		return {false, identity.latestRefusal + _limits.forgets, false,
			material.refusals >= _limits.sameBytes
				? "refused " + ago + " ago, and the material has not changed since"
				: "other material of this identity was refused " + std::to_string(identity.refusals) +
					  " times, the last time " + ago + " ago; a server locks an identity at five refusals"};
	}
	if (isCrowded(identity, material, 0)) {
		return {false, now + _limits.turn, false, {}, true};
	}
	if (identity.silent) {
		return {false, now, true, {}};
	}
	++identity.underWay;
	++material.underWay;
	return {true, now, false, {}};
}

unsigned LoginBudget::limitOf(const Material& material) const
{
	return material.proven ? _limits.provenBytes : _limits.unprovenBytes;
}

bool LoginBudget::isSpent(const Row& identity, const Material& material) const
{
	return identity.refusals >= limitOf(material) || material.refusals >= _limits.sameBytes;
}

/// Returns whether others are under way that may be refused: each may be one more refusal.
bool LoginBudget::isCrowded(const Row& identity, const Material& material, unsigned more) const
{
	const auto underWay = identity.underWay + more;
	return identity.refusals + underWay >= limitOf(material) ||
		   material.refusals + material.underWay + more >= _limits.sameBytes ||
		   underWay >= (material.proven ? _limits.provenUnderWay : _limits.unprovenUnderWay);
}

bool LoginBudget::mustWait(std::uint64_t identityMark, std::uint64_t materialMark, bool doubtful, unsigned more) const
{
	const auto identity = _identities.find(identityMark);
	if (identity == _identities.end()) {
		return false;
	}
	const auto found = identity->second.materials.find(materialMark);
	auto material = found != identity->second.materials.end() ? found->second : Material();
	if (doubtful) {
		material.proven = false;
	}
	return !isSpent(identity->second, material) && isCrowded(identity->second, material, more);
}

void LoginBudget::ended(Instant now, std::uint64_t identityMark, std::uint64_t materialMark, Result result)
{
	auto& identity = _identities[identityMark];
	auto& material = identity.materials[materialMark];
	identity.underWay -= identity.underWay > 0 ? 1 : 0;
	material.underWay -= material.underWay > 0 ? 1 : 0;
	identity.silent = identity.silent && (result == Result::lost || result == Result::nothing);
	switch (result) {
	case Result::accepted: // the server forgets the refusals too; but in a cluster only the node that was asked does
		identity.refusals -= std::min(identity.refusals, std::exchange(material.lost, 0U));
		material.proven = true;
		material.refusals = 0;
		return;
	case Result::refused:
		++material.refusals;
		material.lost = 0;
		material.proven = false;
		break;
	case Result::lost:
		identity.silent = true;
		++material.lost;
		break;
	case Result::nothing:
		return;
	}
	++identity.refusals;
	identity.latestRefusal = now;
}

void LoginBudget::heard(std::uint64_t identity)
{
	_identities[identity].silent = false;
}

bool LoginBudget::hasRefused(Instant now, std::uint64_t identityMark) const
{
	const auto found = _identities.find(identityMark);
	return found != _identities.end() && found->second.refusals > 0 &&
		   now - found->second.latestRefusal < _limits.forgets;
}

LoginBudget::Row LoginBudget::rowOf(Instant now, std::uint64_t identityMark, std::uint64_t materialMark) const
{
	const auto found = _identities.find(identityMark);
	if (found == _identities.end()) {
		return {};
	}
	Row row = found->second;
	row.underWay = 0;
	for (auto& [mark, material] : row.materials) {
		material.underWay = 0;
		material.proven = material.proven && mark == materialMark; // a sibling brings its own
	}
	forget(row, now);
	return row;
}

void LoginBudget::inherit(Instant now, std::uint64_t identityMark, const Row& row)
{
	forgetUnasked(now);
	auto& identity = _identities[identityMark];
	identity.refusals = std::max(identity.refusals, row.refusals);
	identity.silent = identity.silent || row.silent;
	identity.latestRefusal = std::max(identity.latestRefusal, std::min(row.latestRefusal, now));
	for (const auto& [mark, theirs] : row.materials) {
		auto& ours = identity.materials.try_emplace(mark, theirs).first->second;
		ours.refusals = std::max(ours.refusals, theirs.refusals);
		ours.lost = std::max(ours.lost, theirs.lost);
		identity.asked[mark] = now;
	}
}

std::size_t LoginBudget::size() const
{
	auto all = _identities.size();
	for (const auto& [mark, identity] : _identities) {
		all += identity.materials.size();
	}
	return all;
}

LoginBudget::Result resultOf(const LoginAnswer& answer)
{
	const auto* const trouble = std::get_if<LoginTrouble>(&answer);
	if (trouble == nullptr) {
		return LoginBudget::Result::accepted;
	}
	if (trouble->unsent) {
		return LoginBudget::Result::nothing;
	}
	switch (trouble->kind) {
	case LoginTrouble::Kind::material:
		return LoginBudget::Result::refused;
	case LoginTrouble::Kind::passes: {
		using enum Reason;
		const bool silent = trouble->reason == network || trouble->reason == timeout || trouble->reason == malformed;
		return silent ? LoginBudget::Result::lost : LoginBudget::Result::nothing;
	}
	case LoginTrouble::Kind::cancelled:
		return LoginBudget::Result::lost;
	case LoginTrouble::Kind::configuration:
	case LoginTrouble::Kind::ambiguous:
	case LoginTrouble::Kind::spent:
	case LoginTrouble::Kind::forbidden:
		return LoginBudget::Result::nothing;
	}
	return LoginBudget::Result::lost; // unreachable: the switch names every kind
}

} // namespace issuer::vault::renewal
