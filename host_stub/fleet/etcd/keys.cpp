#include "fleet/etcd/keys.h"

#include "common/text.h"
#include "fleet/ring.h"

namespace issuer::fleet::etcd {

std::string Keys::states(Shard shard) const
{
	return _prefix + "state/" + shardText(shard) + "/";
}

std::string Keys::state(const StateName& name) const
{
	return states(shardOf(name.issuer)).append(name.issuer).append("@").append(name.member);
}

std::optional<std::string> Keys::nameIn(std::string_view folder, std::string_view key)
{
	if (!key.starts_with(folder)) {
		return std::nullopt;
	}
	key.remove_prefix(folder.size());
	return key.empty() || !isUtf8(key) || !isVisible(key) ? std::nullopt : std::optional<std::string>(key);
}

std::optional<StateName> Keys::stateOf(std::string_view key) const
{
	const auto rest = nameIn(_prefix + "state/", key);
	if (!rest || rest->size() < 4 || (*rest)[3] != '/') {
		return std::nullopt;
	}
	const auto at = rest->rfind('@'); // an issuer's name may hold one, a member's may not
	if (at == std::string::npos || at == 4 || at < 4 || at + 1 == rest->size()) {
		return std::nullopt;
	}
	return StateName{rest->substr(4, at - 4), rest->substr(at + 1)};
}

std::string endOf(std::string prefix)
{
	++prefix.back(); // a slash: no carry
	return prefix;
}

} // namespace issuer::fleet::etcd
