#include "base/wiped.h"

#include <string.h>

namespace issuer::vault {

void wipe(void* data, std::size_t size) noexcept
{
	::explicit_bzero(data, size);
}

} // namespace issuer::vault
