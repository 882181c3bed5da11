#include "fleet/lists.h"

#include "fleet/ring.h"
#include "fleet/sha256.h"

#include <set>
#include <string_view>

namespace issuer::fleet {

ListDigests digestsOf(const std::vector<std::string>& issuers)
{
	std::array<std::set<std::string_view>, std::tuple_size_v<ListDigests>> groups;
	for (const auto& issuer : issuers) {
		groups[digestOf(shardOf(issuer))].insert(issuer);
	}
	ListDigests digests{};
	for (std::size_t group = 0; group < groups.size(); ++group) {
		std::string names;
		for (const auto name : groups[group]) {
			names.append(name).append(1, '\0');
		}
		digests[group] = names.empty() ? 0 : sha256Head(names);
	}
	return digests;
}

} // namespace issuer::fleet
