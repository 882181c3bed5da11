#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace issuer {

/// A failure told to people: names the thing, the place and what to do. Never holds a secret.
struct Error
{
	std::string text;
	bool passes = false; ///< trying again may help, without anybody mending anything
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string text)
{
	return tl::unexpected<Error>(Error{std::move(text)});
}

/// One that trying again may help.
inline tl::unexpected<Error> passingFailure(std::string text)
{
	return tl::unexpected<Error>(Error{std::move(text), true});
}

} // namespace issuer
