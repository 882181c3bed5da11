#include "fake_vault/lockout.h"

#include <string>

namespace issuer::test {

bool Lockout::isLocked(const std::string& identity, ServerTime now) const
{
	const auto found = _wrong.find(identity);
	return rule.enabled && found != _wrong.end() && found->second.count >= rule.threshold &&
		   now < found->second.last + rule.duration;
}

void Lockout::failed(const std::string& identity, ServerTime now)
{
	auto& wrong = _wrong[identity];
	if (now >= wrong.last + rule.counterReset) {
		wrong.count = 0;
	}
	++wrong.count;
	wrong.last = now;
}

} // namespace issuer::test
