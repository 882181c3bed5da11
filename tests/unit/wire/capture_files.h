#pragma once

#include "base/http.h"

#include <Poco/JSON/Object.h>

#include <string>
#include <vector>

/// The recorded exchanges in tests/data/captures.
namespace issuer::vault::wire {

/// Returns the name of each recording: its path there, without the extension.
[[nodiscard]] std::vector<std::string> captureNames();

[[nodiscard]] Poco::JSON::Object::Ptr readCapture(const std::string& name);

/// Returns the reply of a recorded exchange.
[[nodiscard]] HttpReply replyIn(const Poco::JSON::Object& capture);

/// Returns JSON as a server sends it; of a string, its characters.
[[nodiscard]] WipedString bytesOf(const Poco::Dynamic::Var& body);

} // namespace issuer::vault::wire
