#pragma once

#include "fleet/facts.h"

#include <string>
#include <vector>

namespace issuer::fleet {

/// Returns the place of a shard in ListDigests.
[[nodiscard]] constexpr std::size_t digestOf(Shard shard)
{
	return shard / 16U;
}

/// Returns the digests of a list of issuers, given in any order.
[[nodiscard]] ListDigests digestsOf(const std::vector<std::string>& issuers);

} // namespace issuer::fleet
