#pragma once

#include <chrono>
#include <string>
#include <vector>

/// Names that this program resolves as a test wants; all others are the system's. Needs scripted_names.cpp in the
/// test's own program, where its getaddrinfo() stands before the C library's. [thread-safe]
namespace issuer::test::names {

/// `addresses`: numeric, at least one.
void resolve(const std::string& name, const std::vector<std::string>& addresses);
/// The name servers answer that they cannot tell now.
void fail(const std::string& name);
/// The name servers do not answer, until something else is said of the name, or of all.
void hang(const std::string& name);
/// Blocks until a thread waits for each of `names`. Returns false if that has not come about within `limit`.
[[nodiscard]] bool awaitHanging(const std::vector<std::string>& names, std::chrono::seconds limit);
/// Those that hang fail, and have by its end.
void release();

} // namespace issuer::test::names
