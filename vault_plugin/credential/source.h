#pragma once

#include "base/result.h"
#include "credential/secret.h"

#include <optional>
#include <string>
#include <string_view>

namespace issuer::vault::credential {

/// Where the token comes from: exactly one of a file, an environment variable, or the configuration itself.
struct Origin
{
	enum class Kind
	{
		file,
		environment,
		value,
	};

	Kind kind = Kind::value;
	std::string name; ///< the file's path or the variable's name; empty for `value`
	Secret value;     ///< only of `value`
};

/// Reads the origin again and again and keeps the last good token.
///
/// Not thread-safe: its owner serialises. The token is trimmed; one with control characters or blanks inside, an empty
/// one, one over 64 KiB, or a file that others may write to is an error, which names the place and never the content.
class Source
{
public:
	explicit Source(Origin origin);

	enum class Change
	{
		none,
		replaced, ///< token() is another one than before, or the first one
	};

	/// Reads the origin. On error token() stays what it was.
	[[nodiscard]] Result<Change> refresh();

	/// The last good token; empty before the first.
	[[nodiscard]] const Secret& token() const noexcept { return _token; }

	/// The file that holds it, where one does.
	[[nodiscard]] std::optional<std::string> file() const;

	/// For people: "token file /run/credentials/vault-token", "environment variable VAULT_TOKEN", ….
	[[nodiscard]] std::string describe() const;

private:
	Origin _origin;
	Secret _token;
};

} // namespace issuer::vault::credential
