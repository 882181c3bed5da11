#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace issuer::fuzz {

/// Ends the program, which makes the input a finding.
inline void require(bool kept, const char* promise)
{
	if (!kept) {
		std::fprintf(stderr, "broken promise: %s\n", promise);
		std::abort();
	}
}

inline std::string_view textOf(const std::uint8_t* data, std::size_t size)
{
	return {reinterpret_cast<const char*>(data), size};
}

} // namespace issuer::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
