/// The border of a plugin: turns values and exceptions of the inside into codes and texts of the contract.
#pragma once

#include <issuer/kit/answer.h>
#include <issuer/kit/host_callbacks.h>
#include <issuer/lifecycle.h>

#include <exception>
#include <new>
#include <utility>

/// The object behind the contract's opaque pointer, in a plugin made with the kit.
struct issuer_instance
{
	explicit issuer_instance(const issuer_host& itsHost) noexcept : host(itsHost) {}

	issuer::kit::HostCallbacks host;
};

namespace issuer::kit {

namespace detail {

/// An instance of the author's class, with its way to the host, which lives longer.
template <class Plugin>
struct Held final : issuer_instance
{
	template <class Config>
	Held(const issuer_host& itsHost, Config config) : issuer_instance(itsHost), plugin(host, std::move(config))
	{
	}

	Plugin plugin;
};

} // namespace detail

/// Runs the body of a slot, which returns an Answer. No exception escapes: it becomes a code with a text.
template <class Body>
issuer_rc guard(issuer_error* err, const Body& body) noexcept
{
	try {
		return fail(err, body());
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

/// Runs the body of a slot on the instance of the author's class, unless the call comes from inside one of that
/// instance's own callbacks. For slots of the author's own extensions, too.
template <class Plugin, class Body>
issuer_rc enter(issuer_instance* self, issuer_error* err, const Body& body) noexcept
{
	if (self == nullptr) {
		return fail(err, ISSUER_E_INVALID, "no instance: the pointer is NULL");
	}
	if (CallbackScope::isInside(&self->host)) {
		return fail(err, ISSUER_E_REENTRANT, "called from inside a callback of this same instance");
	}
	return guard(err, [&] { return body(static_cast<detail::Held<Plugin>*>(self)->plugin); });
}

} // namespace issuer::kit
