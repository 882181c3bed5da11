#include "fleet/shard_record.h"

#include "fleet/lateness.h"

#include <algorithm>

namespace issuer::fleet {

void IssuerRecord::stopped()
{
	role = Role::none;
	own.reset();
	unwritten = false;
	due = {};
	untoldSince.reset();
}

IssuerRecord* ShardRecord::find(std::string_view name)
{
	const auto found = std::ranges::find(issuers, name, &IssuerRecord::name);
	return found == issuers.end() ? nullptr : &*found;
}

const IssuerRecord* ShardRecord::find(std::string_view name) const
{
	const auto found = std::ranges::find(issuers, name, &IssuerRecord::name);
	return found == issuers.end() ? nullptr : &*found;
}

bool ShardRecord::has(Role role) const
{
	return std::ranges::any_of(issuers, [=](const IssuerRecord& issuer) { return issuer.role == role; });
}

const State* newestOf(const std::vector<State>& states, std::string_view issuer)
{
	const State* newest = nullptr;
	for (const auto& state : states) {
		if (state.name.issuer == issuer && tells(state) && (!newest || isNewer(state, *newest))) {
			newest = &state;
		}
	}
	return newest;
}

} // namespace issuer::fleet
