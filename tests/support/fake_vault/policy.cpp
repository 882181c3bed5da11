#include "fake_vault/policy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <Poco/RegularExpression.h>
#include <Poco/StringTokenizer.h>

namespace issuer::test {
namespace {

constexpr const char* defaultPolicy = R"(
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
)";

bool covers(std::string_view rule, std::string_view path)
{
	return rule.ends_with('*') ? path.starts_with(rule.substr(0, rule.size() - 1)) : path == rule;
}

/// A path without wildcard is more specific than any with one; among those, the longer.
std::size_t specificity(std::string_view rule)
{
	return rule.ends_with('*') ? rule.size() : std::string_view::npos;
}

/// The first two groups of each place where the expression matches.
std::vector<std::pair<std::string, std::string>> matchesOf(
	const Poco::RegularExpression& expression, const std::string& text)
{
	std::vector<std::pair<std::string, std::string>> matches;
	Poco::RegularExpression::MatchVec found;
	for (std::string::size_type at = 0; expression.match(text, at, found) > 0; at = found[0].offset + found[0].length) {
		matches.emplace_back(
			text.substr(found[1].offset, found[1].length), text.substr(found[2].offset, found[2].length));
	}
	return matches;
}

} // namespace

Policies::Policies()
	: _rules{{"default", parse(defaultPolicy).value()},
		  {"response-wrapping", parse(R"(path "sys/wrapping/unwrap" { capabilities = ["update"] })").value()}}
{
}

tl::expected<void, std::string> Policies::write(const std::string& name, const std::string& text)
{
	return parse(text).map([&](Rules rules) { _rules[name] = std::move(rules); });
}

tl::expected<Policies::Rules, std::string> Policies::parse(const std::string& text)
{
	const Poco::RegularExpression stanza(R"re(path\s+"([^"]*)"\s*\{\s*capabilities\s*=\s*\[([^\]]*)\]\s*\})re");
	Rules rules;
	for (const auto& [path, list] : matchesOf(stanza, text)) {
		const Poco::StringTokenizer words(list, ",\" \t\n", Poco::StringTokenizer::TOK_IGNORE_EMPTY);
		rules[path].insert(words.begin(), words.end());
	}
	if (rules.empty() && text.find_first_not_of(" \t\n") != std::string::npos) {
		return tl::unexpected<std::string>("failed to parse policy: no path stanza that the fake Vault understands");
	}
	return rules;
}

Capabilities Policies::allowed(const std::vector<std::string>& policies, std::string_view path) const
{
	if (std::ranges::find(policies, "root") != policies.end()) {
		return {"root"};
	}
	std::size_t best = 0;
	Capabilities capabilities;
	for (const auto& name : policies) {
		const auto policy = _rules.find(name);
		if (policy == _rules.end()) {
			continue;
		}
		for (const auto& [rule, granted] : policy->second) {
			const auto rank = specificity(rule);
			if (!covers(rule, path) || rank < best) {
				continue;
			}
			if (rank > best) {
				best = rank;
				capabilities.clear();
			}
			capabilities.insert(granted.begin(), granted.end());
		}
	}
	if (capabilities.empty() || capabilities.contains("deny")) {
		return {"deny"};
	}
	return capabilities;
}

} // namespace issuer::test
