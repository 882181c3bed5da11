#pragma once

#include "credential/secret.h"
#include "credential/text_kind.h"

#include <cstdint>
#include <string>

namespace issuer::vault::credential {

/// The origin of a secret: exactly one of a file, an environment variable, or the configuration itself; of a token also
/// a login.
struct Origin
{
	enum class Kind : std::uint8_t
	{
		file,
		environment,
		value,
		login, ///< of a token only: logins offer it
	};

	Kind kind = Kind::value;
	std::string name; ///< the file's path, the variable's name or the login's mount; empty for `value`
	Secret value;     ///< only of `value`
	TextKind text = TextKind::token;
};

/// Names it for log lines and errors: "token file /run/credentials/vault-token", "environment variable VAULT_TOKEN", ….
[[nodiscard]] std::string describe(const Origin& origin);

/// Reads an origin that is a variable or a value. The error begins with describe(). On the control thread, which alone
/// may read the environment.
[[nodiscard]] Result<Secret> readHere(const Origin& origin);

} // namespace issuer::vault::credential
