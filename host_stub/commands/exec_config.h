#pragma once

#include "observe/exec/exec.h"

#include <Poco/Dynamic/Var.h>

namespace issuer::commands {

/// Decodes the configuration's "exec", a list of
///
///     {"on": ["recovered", "capped", "dead", "replaced"], "command": ["/usr/local/bin/page-us", "…"], "timeout":
///     "10s"}
///     {"on": ["dead"], "url": "https://hooks.example/…"}
///
/// `on` and one of `command` and `url` must be given. Throws Wrong.
[[nodiscard]] std::vector<observe::ExecRule> execRules(const Poco::Dynamic::Var& value);

} // namespace issuer::commands
