#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace issuer::test {

/// The permissions of a token on a path: "read", "update", … or "root" (everything) or "deny" (nothing).
using Capabilities = std::set<std::string>;

/// The access policies of a server, in the part of Vault's language that a token's own life needs:
/// `path "auth/token/renew-self" { capabilities = ["update"] }`, with `*` at the end of a path.
class Policies
{
public:
	/// Knows `default` (look up, renew and revoke oneself, and a few more) and `root`.
	Policies();

	/// Replaces the policy of that name. The error is for the caller's reply.
	tl::expected<void, std::string> write(const std::string& name, const std::string& text);
	void remove(const std::string& name) { _rules.erase(name); }

	/// Most specific path over all policies wins; on one path they add up, and a deny beats all.
	[[nodiscard]] Capabilities allowed(const std::vector<std::string>& policies, std::string_view path) const;

private:
	using Rules = std::map<std::string, Capabilities>; ///< by path, which may end in '*'

	static tl::expected<Rules, std::string> parse(const std::string& text);

	std::map<std::string, Rules> _rules;
};

} // namespace issuer::test
