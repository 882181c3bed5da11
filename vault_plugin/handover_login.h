#pragma once

#include "handover.h"
#include "handover_fields.h"

#include <Poco/JSON/Object.h>

namespace issuer::vault::handover {

/// Returns the knowledge of an issuer's logins as a JSON object, without secrets: marks are of use only with their key.
[[nodiscard]] Poco::JSON::Object::Ptr toJson(const LoginHandover& handover);

/// Reads such an object; throws std::runtime_error or Poco::Exception that names a field of another form.
[[nodiscard]] LoginHandover loginFrom(const Poco::JSON::Object& json);

/// Moves its times to the clock of another boot.
void moveBy(const Mover& mover, LoginHandover& handover);

} // namespace issuer::vault::handover
