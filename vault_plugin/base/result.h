#pragma once

#include <string>
#include <tl/expected.hpp>

namespace issuer::vault {

/// A value, or an error as a value. (std::expected is out of reach of clang 14 with this libstdc++.)
template <class T, class E>
using Expected = tl::expected<T, E>;

/// A failure in words for the operator: names the thing, the place and the next step. Never holds a secret.
struct Error
{
	std::string text;
};

template <class T>
using Result = Expected<T, Error>;

inline tl::unexpected<Error> failure(std::string text)
{
	return tl::unexpected<Error>(Error{std::move(text)});
}

} // namespace issuer::vault
