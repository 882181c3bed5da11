#include "fleet/sha256.h"

#include <Poco/SHA2Engine.h>
#include <cstddef>

namespace issuer::fleet {

std::uint64_t sha256Head(std::string_view text)
{
	Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
	engine.update(text.data(), text.size());
	const auto& digest = engine.digest();
	std::uint64_t head = 0;
	for (std::size_t byte = 0; byte < sizeof head; ++byte) {
		head = head << 8U | digest[byte];
	}
	return head;
}

} // namespace issuer::fleet
