#include "loader/sha256.h"

#include <Poco/SHA2Engine.h>
#include <array>
#include <fstream>

namespace issuer::loader {

Result<std::string> sha256Of(const std::filesystem::path& path)
{
	std::ifstream file(path, std::ios::binary);
	Poco::SHA2Engine engine(Poco::SHA2Engine::SHA_256);
	std::array<char, 64 * 1024> block;
	while (file) {
		file.read(block.data(), block.size());
		engine.update(block.data(), static_cast<std::size_t>(file.gcount()));
	}
	if (!file.eof()) {
		return failure("it cannot be read");
	}
	return Poco::DigestEngine::digestToHex(engine.digest());
}

} // namespace issuer::loader
