#pragma once

#include "abi/guard.h"
#include "abi/voice.h"
#include "instance.h"

#include <issuer/lifecycle.h>

/// The object behind the contract's opaque pointer.
struct issuer_instance
{
	issuer_instance(const issuer_host& host, std::shared_ptr<const issuer::vault::CommonConfig> config,
		issuer::vault::credential::Origin token, issuer::vault::ServicesSource services)
		: voice(host), instance(std::move(config), std::move(token), voice, std::move(services))
	{
	}

	issuer::vault::abi::Voice voice;
	issuer::vault::Instance instance;
};

namespace issuer::vault::abi {

/// Runs the body of a slot for one instance, unless the call comes from inside that instance's own callback.
template <class Body>
issuer_rc enter(issuer_instance* self, issuer_error* err, const Body& body) noexcept
{
	if (self == nullptr) {
		return fail(err, ISSUER_E_INVALID, "no instance: the pointer is NULL");
	}
	if (self->voice.isInCallback()) {
		return fail(err, ISSUER_E_REENTRANT, "called from inside a callback of this same instance");
	}
	return guard(err, [&] { return body(*self); });
}

/// Returns the table of an extension, or null for an unknown id.
[[nodiscard]] const void* extension(std::string_view id) noexcept;

} // namespace issuer::vault::abi
