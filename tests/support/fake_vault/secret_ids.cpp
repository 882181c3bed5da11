#include "fake_vault/secret_ids.h"

#include <chrono>
#include <string>

namespace issuer::test {

const SecretId* SecretIds::find(const std::string& secretId, ServerTime now)
{
	const auto lastTidy = std::chrono::floor<std::chrono::minutes>(now);
	std::erase_if(_all, [&](const auto& entry) {
		const auto ends = entry.second.ends();
		return ends && *ends < lastTidy;
	});
	const auto found = _all.find(secretId);
	return found == _all.end() ? nullptr : &found->second;
}

void SecretIds::use(const std::string& secretId)
{
	int& left = _all.at(secretId).usesLeft;
	if (left == 1) {
		_all.erase(secretId);
	}
	else if (left > 1) {
		--left;
	}
}

} // namespace issuer::test
