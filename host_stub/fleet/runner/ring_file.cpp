#include "fleet/runner/ring_file.h"

#include "fleet/ring_text.h"

#include <fstream>
#include <ios>
#include <iterator>
#include <utility>

namespace issuer::fleet {

Result<std::optional<std::vector<std::string>>> readRing(const std::filesystem::path& file)
{
	std::ifstream stream(file, std::ios::binary);
	if (file.empty() || !stream) {
		return std::nullopt;
	}
	const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
	auto ring = ringFrom(text);
	if (!ring) {
		return tl::unexpected(std::move(ring.error()));
	}
	return std::optional(std::move(*ring));
}

std::error_code writeRing(const std::filesystem::path& file, const std::string& text)
{
	if (file.empty()) {
		return {};
	}
	const auto fresh = std::filesystem::path(file).concat(".new");
	std::ofstream stream(fresh, std::ios::binary | std::ios::trunc);
	stream << text;
	stream.close();
	if (!stream) {
		return std::make_error_code(std::errc::io_error);
	}
	std::error_code failed;
	std::filesystem::rename(fresh, file, failed);
	return failed;
}

} // namespace issuer::fleet
