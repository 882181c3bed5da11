#pragma once

#include "fleet/facts.h"

#include <optional>
#include <string>
#include <string_view>

namespace issuer::fleet::etcd {

/// The keys of one fleet. All are below one prefix, which is all that a user of etcd has to be granted.
class Keys
{
public:
	explicit Keys(std::string_view fleet) : _prefix("/issuer/" + std::string(fleet) + "/") {}

	[[nodiscard]] const std::string& prefix() const { return _prefix; }
	[[nodiscard]] std::string members() const { return _prefix + "members/"; }
	[[nodiscard]] std::string lists() const { return _prefix + "lists/"; }
	[[nodiscard]] std::string pulses() const { return _prefix + "pulse/"; }
	/// Returns the prefix of a shard's states.
	[[nodiscard]] std::string states(Shard shard) const;

	[[nodiscard]] std::string member(std::string_view name) const { return members().append(name); }
	[[nodiscard]] std::string list(std::string_view member) const { return lists().append(member); }
	[[nodiscard]] std::string pulse(std::string_view member) const { return pulses().append(member); }
	[[nodiscard]] std::string state(const StateName& name) const;

	/// Returns the name that follows `folder`, one of the above, in a key. None: the key is not in it, or what follows
	/// is no name that can be shown.
	[[nodiscard]] static std::optional<std::string> nameIn(std::string_view folder, std::string_view key);
	/// Returns the name of the state with this key.
	[[nodiscard]] std::optional<StateName> stateOf(std::string_view key) const;

private:
	std::string _prefix;
};

/// Returns the end of the range of all keys that begin with `prefix`.
[[nodiscard]] std::string endOf(std::string prefix);

} // namespace issuer::fleet::etcd
