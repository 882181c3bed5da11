#pragma once

#include "instance.h"

#include <issuer/lifecycle.h>
#include <new>
#include <string_view>

/// Translates between values and exceptions inside the plugin and the contract's codes and texts outside.
namespace issuer::vault::abi {

/// ISSUER_OK in the type of all codes.
inline constexpr issuer_rc ok = ISSUER_OK;

/// Writes code and text into `err`, as far as it has room; returns the code.
issuer_rc fail(issuer_error* err, issuer_rc code, std::string_view text) noexcept;

[[nodiscard]] issuer_rc codeOf(Refusal::Kind kind) noexcept;

inline issuer_rc answer(issuer_error* err, const Done& done) noexcept
{
	return done ? ok : fail(err, codeOf(done.error().kind), done.error().text);
}

/// Runs the body of a slot, which returns a code. No exception leaves it.
template <class Body>
issuer_rc guard(issuer_error* err, const Body& body) noexcept
{
	try {
		return body();
	}
	catch (const std::bad_alloc&) {
		return fail(err, ISSUER_E_NOMEM, "out of memory");
	}
	catch (const std::exception& error) {
		return fail(err, ISSUER_E_INTERNAL, error.what());
	}
	catch (...) {
		return fail(err, ISSUER_E_INTERNAL, "something unknown was thrown");
	}
}

} // namespace issuer::vault::abi
