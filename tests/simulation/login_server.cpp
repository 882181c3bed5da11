#include "login_server.h"

#include <algorithm>

namespace issuer::simulation {

using namespace std::chrono_literals;
using namespace vault::renewal;

namespace {

LoginTrouble refusal(LoginTrouble::Kind kind, Reason reason, const char* detail)
{
	return {kind, reason, std::nullopt, detail, false};
}

Trouble tokenTrouble(Trouble::Kind kind)
{
	return {kind, Reason::refused, std::nullopt, "refused", false};
}

Duration whole(Duration length)
{
	return std::chrono::floor<std::chrono::seconds>(length);
}

} // namespace

std::size_t LoginServer::addMaterial(bool good, Instant now, bool foreign)
{
	_materials.push_back({good, _world.materialLife > 0s ? now + _world.materialLife : Instant::max(),
		_world.uses > 0 ? _world.uses : -1, now, foreign});
	return _materials.size() - 1;
}

void LoginServer::revokeAllOf(unsigned issuer, Instant now)
{
	for (auto& token : _tokens) {
		if (token.issuer == issuer && now < token.end) {
			token.end = now;
			token.revoked = true;
		}
	}
}

Answer LoginServer::lookUp(std::size_t index, Moment now)
{
	auto& token = _tokens[index];
	if (!accepted(token, now.boot)) {
		return tokenTrouble(Trouble::Kind::refused);
	}
	token.proven = true;
	if (_world.noPolicy) {
		return tokenTrouble(Trouble::Kind::denied);
	}
	TokenFacts facts;
	facts.ttl = whole(token.end - now.boot);
	facts.creationTtl = token.lease;
	facts.creationTime = std::chrono::floor<std::chrono::seconds>(now.wallAt(token.issued));
	facts.expireTime = now.wallAt(token.end);
	facts.renewable = !_world.batch;
	facts.batch = _world.batch;
	if (_world.wallShown && token.wall != Instant::max()) {
		facts.explicitMaxTtl = token.wall - token.issued;
	}
	return facts;
}

Answer LoginServer::renew(std::size_t index, std::size_t presented, Instant now, bool heard)
{
	auto& token = _tokens[index];
	if (!accepted(token, now)) {
		return tokenTrouble(Trouble::Kind::refused);
	}
	token.proven = true;
	if (_world.batch) {
		return tokenTrouble(Trouble::Kind::batch);
	}
	const bool otherCertificate = _world.method == LoginMethod::certificate && presented != token.material;
	const bool banned = std::ranges::any_of(_world.misfortunes, [&](const Misfortune& one) {
		return one.mishap == Mishap::denied && one.from <= now && token.issued < one.from;
	});
	if (_world.noPolicy || otherCertificate || banned) {
		return tokenTrouble(Trouble::Kind::denied);
	}
	const auto wanted = _world.lease;
	const bool cut = token.wall - wanted < now;
	const auto lease = cut ? whole(token.wall - now) : wanted;
	if (lease <= 0s) {
		return tokenTrouble(Trouble::Kind::pastMaxTtl);
	}
	token.unheard = now + lease > token.end ? !heard : token.unheard;
	token.end = std::max(token.end, now + lease);
	return Grant{lease, cut, true};
}

std::pair<LoginAnswer, std::optional<std::size_t>> LoginServer::logIn(unsigned issuer, std::size_t which, Instant now)
{
	constexpr unsigned threshold = 5;
	constexpr Duration window = 15min;
	const bool counts = _world.countsRefusals();
	if (counts && _refusals >= threshold) {
		if (now < _latestRefusal + window) {
			return {refusal(LoginTrouble::Kind::ambiguous, Reason::refused, "permission denied"), std::nullopt};
		}
		_refusals = 0;
	}
	if (_world.isDuring(Mishap::misconfigured, now)) {
		return {refusal(LoginTrouble::Kind::configuration, Reason::config, "role not found"), std::nullopt};
	}
	if (_world.isDuring(Mishap::reviewDown, now)) {
		return {refusal(LoginTrouble::Kind::ambiguous, Reason::refused, "permission denied"), std::nullopt};
	}
	auto& material = _materials[which];
	const auto leeway = _world.method == LoginMethod::certificate ? 0s : 60s; // JWT leeway; the tidy of secret_ids
	const bool over = material.ends != Instant::max() && now > material.ends + leeway;
	if (!material.good || over || material.uses == 0) {
		if (counts) {
			_refusals = _refusals > 0 && now - _latestRefusal <= window ? _refusals + 1 : 1;
			_latestRefusal = now;
			_lockouts += _refusals == threshold ? 1 : 0;
		}
		return {refusal(LoginTrouble::Kind::material, Reason::loginRefused, "invalid role or secret ID"), std::nullopt};
	}
	_refusals = 0;
	material.uses -= material.uses > 0 ? 1 : 0;
	const auto maxTtl = _maxTtl >= 0s ? _maxTtl : _world.maxTtl;
	Token token;
	token.issuer = issuer;
	token.material = which;
	token.issued = now;
	token.wall = maxTtl > 0s ? now + maxTtl : Instant::max();
	token.lease = maxTtl > 0s ? std::min(_world.lease, maxTtl) : _world.lease;
	token.end = now + token.lease;
	_tokens.push_back(token);
	LoggedIn facts;
	facts.lease = token.lease;
	facts.renewable = !_world.batch;
	facts.batch = _world.batch;
	facts.cappedAtBirth = maxTtl > 0s && maxTtl < _world.lease;
	facts.roleName = _world.method == LoginMethod::appRole ? "web" : "";
	return {facts, _tokens.size() - 1};
}

LoginAnswer LoginServer::lookUpWrapping(std::size_t which, Moment now) const
{
	const auto& material = _materials[which];
	if (material.unwrapped > 0) {
		return refusal(
			LoginTrouble::Kind::spent, Reason::loginRefused, "wrapping token is not valid or does not exist");
	}
	return WrappingFacts{material.foreign ? "sys/wrapping/wrap" : path, now.wallAt(material.made), std::nullopt};
}

std::pair<LoginAnswer, std::optional<std::size_t>> LoginServer::unwrap(unsigned issuer, std::size_t which, Moment now)
{
	auto& material = _materials[which];
	if (++material.unwrapped > 1) {
		return {
			refusal(LoginTrouble::Kind::spent, Reason::loginRefused, "wrapping token is not valid or does not exist"),
			std::nullopt};
	}
	if (_world.method != LoginMethod::wrappedToken) {
		SecretIdFacts facts;
		if (material.ends != Instant::max()) {
			facts.ends = now.wallAt(material.ends);
		}
		if (material.uses > 0) {
			facts.usesLeft = material.uses;
		}
		return {facts, std::nullopt};
	}
	// Its life began when it was wrapped.
	Token token;
	token.issuer = issuer;
	token.material = which;
	token.issued = material.made;
	token.wall = _world.maxTtl > 0s ? material.made + _world.maxTtl : Instant::max();
	token.lease = _world.maxTtl > 0s ? std::min(_world.lease, _world.maxTtl) : _world.lease;
	token.end = material.good ? material.made + token.lease : material.made;
	_tokens.push_back(token);
	LoggedIn facts;
	facts.lease = token.lease;
	return {facts, _tokens.size() - 1};
}

LoginAnswer LoginServer::lookUpSecret(std::size_t which, Moment now) const
{
	if (!_world.endKnown) {
		return refusal(LoginTrouble::Kind::forbidden, Reason::refused, "permission denied");
	}
	const auto& material = _materials[which];
	SecretIdFacts facts;
	if (material.ends != Instant::max()) {
		facts.ends = now.wallAt(material.ends);
	}
	if (material.uses > 0) {
		facts.usesLeft = material.uses;
	}
	facts.gone = !material.good || material.uses == 0;
	return facts;
}

LoginAnswer LoginServer::revoke(std::size_t index, Instant now)
{
	auto& token = _tokens[index];
	token.revokeAsked = true;
	if (!accepted(token, now)) {
		return refusal(LoginTrouble::Kind::ambiguous, Reason::refused, "permission denied");
	}
	if (_world.noPolicy) {
		return refusal(LoginTrouble::Kind::forbidden, Reason::refused, "permission denied");
	}
	token.end = now;
	token.revoked = true;
	return Revoked{};
}

} // namespace issuer::simulation
