#pragma once

#include "fleet/etcd/settings.h"

#include <issuer/diagnose.h>

#include <string>
#include <vector>

namespace issuer::fleet::etcd {

/// One finding about the way to an etcd, as an operator reads it; no secret in it.
struct Finding
{
	issuer_finding_level level = ISSUER_FINDING_OK;
	std::string topic;
	std::string text;
	std::string advice; ///< the next step; empty: none
};

/// Tries all that a member of the fleet needs of etcd, and changes nothing there. Each endpoint for `limit` at most:
/// whether it is reached, its certificates, its version, its leader, its space, the user, a watch. Then, over the first
/// one that answers the user: the rights to read and write below the fleet's prefix, what is compacted, and the members
/// with their clocks. Blocks the calling thread. Settings that cannot be used are a finding.
[[nodiscard]] std::vector<Finding> probe(const Settings& settings, milliseconds limit);

} // namespace issuer::fleet::etcd
