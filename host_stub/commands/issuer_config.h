#pragma once

#include "commands/config_values.h"
#include "registry/spec.h"

#include <map>

namespace issuer::commands {

/// The environment variables that "environment" names, and their values.
using Variables = std::map<std::string, std::string>;

/// Reads "environment" of a configuration. A name that is not set becomes a fault.
[[nodiscard]] Variables variablesAt(const Poco::JSON::Object& root, std::vector<Wrong>& faults);

/// Decodes one issuer, in whose `config` ${NAME} is replaced where `variables` has it. Relative paths start at
/// `folder`. `itsName`, if not empty, is that of an issuer that does not say it. Throws Wrong.
[[nodiscard]] registry::IssuerSpec issuerAt(const Poco::Dynamic::Var& value, const std::string& path,
	const std::filesystem::path& folder, const Variables& variables, const std::string& itsName = {});

} // namespace issuer::commands
