#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace issuer::test {

/// Throws «fault server: …» unless `condition` holds.
void require(bool condition, const char* what);

/// A socket that listens on `port` of `host`, an address of this machine; 0: on a free one. The caller closes it.
[[nodiscard]] int listenOnLoopback(const std::string& host, int backlog, std::uint16_t& port);
[[nodiscard]] int listenOnUnix(const std::filesystem::path& path);

} // namespace issuer::test
