#pragma once

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/URI.h>
#include <filesystem>
#include <memory>

namespace issuer::commands {

/// Returns a session for a URL, http or https. With https the server must prove its name by an authority of `caFile`,
/// or, where that is empty, of the system. Nothing is sent yet. Throws Poco::Exception.
[[nodiscard]] std::unique_ptr<Poco::Net::HTTPClientSession> sessionFor(
	const Poco::URI& uri, const std::filesystem::path& caFile = {});

} // namespace issuer::commands
