#pragma once

#include "handover_fields.h"
#include "renewal/login_memory.h"

#include <Poco/JSON/Object.h>

namespace issuer::vault::handover {

/// Returns a keeper of logins' knowledge as a JSON object, without secrets: marks are of use only with their key.
[[nodiscard]] Poco::JSON::Object::Ptr toJson(const renewal::LoginMemory& memory);

/// Reads such an object; throws std::runtime_error or Poco::Exception that names a field of another form.
[[nodiscard]] renewal::LoginMemory loginFrom(const Poco::JSON::Object& json);

/// Moves its times to the clock of another boot.
void moveBy(const Mover& mover, renewal::LoginMemory& memory);

} // namespace issuer::vault::handover
