#pragma once

#include "observe/events/fleet_status.h"
#include "observe/web/fleet_json.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

namespace issuer::test {

/// Returns the "fleet" of a host's answer, as `status --fleet` reads it.
inline Poco::JSON::Object::Ptr fleetAnswer(const observe::FleetStatus& status)
{
	return Poco::JSON::Parser()
		.parse(observe::web::fleetJson(status))
		.extract<Poco::JSON::Object::Ptr>()
		->getObject("fleet");
}

} // namespace issuer::test
