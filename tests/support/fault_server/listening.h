#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace issuer::test {

/// Throws «fault server: what» unless `condition` holds.
void require(bool condition, const char* what);

/// A socket that listens on a free port of `host`, an address of this machine. The caller closes it.
[[nodiscard]] int listenOnLoopback(const std::string& host, int backlog, std::uint16_t& port);
[[nodiscard]] int listenOnUnix(const std::filesystem::path& path);

} // namespace issuer::test
