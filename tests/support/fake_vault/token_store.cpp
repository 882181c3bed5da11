#include "fake_vault/token_store.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace issuer::test {
namespace {

using std::chrono::seconds;

/// The suffix that a namespace gives to the ids of its tokens: six characters of its own.
std::string namespaceSuffix(const std::string& namespacePath)
{
	static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	std::string suffix = ".";
	for (auto hash = std::hash<std::string>{}(namespacePath); suffix.size() < 7; hash /= letters.size()) {
		suffix += letters[hash % letters.size()];
	}
	return suffix;
}

std::vector<std::string> completed(std::vector<std::string> policies, bool noDefaultPolicy)
{
	const bool root = std::ranges::find(policies, "root") != policies.end();
	if (!root && !noDefaultPolicy) {
		policies.emplace_back("default");
	}
	std::ranges::sort(policies);
	policies.erase(std::unique(policies.begin(), policies.end()), policies.end());
	return policies;
}

} // namespace

TokenStore::TokenStore() : _random(std::random_device{}()) {}

std::string TokenStore::randomText(std::size_t length)
{
	static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	std::uniform_int_distribution<std::size_t> pick(0, letters.size() - 1);
	std::string text;
	std::generate_n(std::back_inserter(text), length, [&] { return letters[pick(_random)]; });
	return text;
}

Token TokenStore::blank(bool batch, const std::string& namespacePath, ServerTime now)
{
	Token token;
	const std::string suffix = namespacePath.empty() ? "" : namespaceSuffix(namespacePath);
	token.id = (batch ? "b." + randomText(130) : "s." + randomText(24)) + suffix;
	token.accessor = batch ? "" : randomText(24) + suffix;
	token.issued = now;
	token.wish.namespacePath = namespacePath;
	return token;
}

const Token& TokenStore::createInitialRoot(std::string id, ServerTime now)
{
	Token token = blank(false, "", now);
	if (!id.empty()) {
		token.id = std::move(id);
	}
	token.wish.policies = {"root"};
	token.wish.displayName = "root";
	token.path = "auth/token/root";
	token.orphan = true;
	token.hasLease = false;
	return add(std::move(token));
}

tl::expected<TokenStore::Created, TokenError> TokenStore::create(
	TokenWish wish, const std::string& parent, ServerTime now)
{
	Token token = blank(wish.batch, wish.namespacePath, now);
	token.path = "auth/token/create";
	token.orphan = wish.noParent || parent.empty() || wish.login;
	if (wish.login) {
		token.path = wish.login->path;
		token.boundCidrs = wish.boundCidrs;
	}
	if (!wish.role.empty()) {
		const auto role = roles.find(wish.role);
		if (role == roles.end()) {
			return tl::unexpected(TokenError{400, "unknown role " + wish.role});
		}
		token.path += "/" + wish.role;
		token.orphan = token.orphan || role->second.orphan;
		token.boundCidrs = role->second.boundCidrs;
		wish.renewable = wish.renewable && role->second.renewable;
	}
	token.parent = token.orphan ? "" : parent;
	wish.policies = completed(std::move(wish.policies), wish.noDefaultPolicy);
	token.wish = std::move(wish);
	token.renewable = token.wish.renewable && !token.wish.batch;
	token.usesLeft = token.wish.numUses;

	const auto limits = limitsOf(token);
	std::optional<std::string> warning;
	const bool root = std::ranges::find(token.wish.policies, "root") != token.wish.policies.end();
	if (root && token.wish.ttl == seconds(0) && limits.period == seconds(0) && limits.explicitMax == seconds(0)) {
		token.renewable = false;
	}
	else {
		const seconds wanted = token.wish.ttl > seconds(0) ? token.wish.ttl : tuning.defaultTtl;
		const auto grant = lease::grant(now, now, wanted, limits);
		token.granted = token.creationTtl = grant->ttl;
		// A batch token carries its end in its own text, in whole seconds.
		token.expires = (token.wish.batch ? std::chrono::floor<seconds>(now) : now) + grant->ttl;
		warning = grant->warning;
	}
	return Created{&add(std::move(token)), warning};
}

const Token& TokenStore::createWrapping(seconds ttl, ServerTime now)
{
	Token token = blank(false, "", now);
	token.wish.policies = {"response-wrapping"};
	token.wish.numUses = token.usesLeft = 1;
	token.creationTtl = token.granted = ttl;
	token.expires = now + ttl;
	token.orphan = true;
	return add(std::move(token));
}

const Token* TokenStore::find(const std::string& id, ServerTime now)
{
	const auto found = _tokens.find(id);
	if (found == _tokens.end()) {
		return nullptr;
	}
	if (found->second.expires && now >= *found->second.expires) {
		revoke(id);
		return nullptr;
	}
	// A parent that has expired takes its children along, whether or not a request has met it since.
	const std::string parent = found->second.parent; // a copy: looking for a dead parent erases this very token
	if (!parent.empty() && find(parent, now) == nullptr) {
		_tokens.erase(id);
		return nullptr;
	}
	return &found->second;
}

bool TokenStore::use(const std::string& id)
{
	int& left = _tokens.at(id).usesLeft;
	if (left == 1) {
		left = -1;
		return true;
	}
	if (left > 1) {
		--left;
	}
	return false;
}

tl::expected<TokenStore::Created, TokenError> TokenStore::renew(
	const std::string& id, seconds increment, ServerTime now)
{
	Token& token = _tokens.at(id);
	if (token.wish.batch) {
		return tl::unexpected(TokenError{400, "batch tokens cannot be renewed"});
	}
	if (token.usesLeft < 0) {
		return tl::unexpected(TokenError{400, "token not found"});
	}
	if (!token.hasLease) {
		return tl::unexpected(TokenError{400, "invalid lease ID"});
	}
	if (!token.renewable) {
		return tl::unexpected(TokenError{400, "lease is not renewable"});
	}
	const auto& role = token.wish.role;
	if (!role.empty() && !roles.contains(role)) {
		return tl::unexpected(TokenError{500, "1 error occurred:\n\t* failed to renew entry: original token role \"" +
												  role + "\" could not be found, not renewing\n\n"});
	}
	if (token.renewalRefused) {
		return tl::unexpected(*token.renewalRefused);
	}
	const seconds usual = token.wish.login ? token.wish.ttl : token.granted;
	const seconds wanted = increment > seconds(0) ? increment : usual;
	const auto grant = lease::grant(token.issued, now, wanted, limitsOf(token));
	if (!grant) {
		return tl::unexpected(TokenError{500, "1 error occurred:\n\t* past the max TTL, cannot renew\n\n"});
	}
	token.granted = grant->ttl;
	token.expires = now + grant->ttl;
	token.renewed = now;
	return Created{&token, grant->warning};
}

void TokenStore::refuseRenewals(const std::string& id, TokenError refusal)
{
	_tokens.at(id).renewalRefused = std::move(refusal);
}

void TokenStore::revoke(const std::string& id)
{
	_tokens.erase(id);
	std::vector<std::string> children;
	for (const auto& [childId, token] : _tokens) {
		if (token.parent == id) {
			children.push_back(childId);
		}
	}
	for (const auto& child : children) {
		revoke(child);
	}
}

void TokenStore::revokeByAccessor(const std::string& accessor)
{
	const auto found = std::ranges::find_if(
		_tokens, [&](const auto& entry) { return !accessor.empty() && entry.second.accessor == accessor; });
	if (found != _tokens.end()) {
		revoke(std::string(found->first));
	}
}

void TokenStore::revokeOfMount(const std::string& mount)
{
	std::erase_if(
		_tokens, [&](const auto& entry) { return entry.second.wish.login && entry.second.wish.login->mount == mount; });
}

std::string TokenStore::nameOf(const std::string& id) const
{
	const auto found = _names.find(id);
	return found == _names.end() ? "" : found->second;
}

const Token& TokenStore::add(Token token)
{
	_names[token.id] = token.wish.displayName;
	const std::string id = token.id;
	return _tokens.insert_or_assign(id, std::move(token)).first->second;
}

lease::Limits TokenStore::limitsOf(const Token& token) const
{
	const auto role = roles.find(token.wish.role);
	const bool ofRole = !token.wish.role.empty() && role != roles.end();
	const auto& login = token.wish.login;
	const bool bounded = login && login->maxTtl > seconds(0);
	return {.mountMax = bounded ? std::min(login->maxTtl, tuning.maxTtl) : tuning.maxTtl,
		.explicitMax = ofRole ? role->second.explicitMaxTtl : token.wish.explicitMaxTtl,
		.period = ofRole ? role->second.period : token.wish.period};
}

} // namespace issuer::test
