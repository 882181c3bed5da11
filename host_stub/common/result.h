#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace issuer {

/// A failure in words for the operator: names the thing, the place and the next step. Never holds a secret.
struct Error
{
	std::string text;
	bool passes = false; ///< trying again may help, without any change by an operator
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string text)
{
	return tl::unexpected<Error>(Error{std::move(text)});
}

/// Returns a failure for which trying again may help.
inline tl::unexpected<Error> passingFailure(std::string text)
{
	return tl::unexpected<Error>(Error{std::move(text), true});
}

} // namespace issuer
