// A plugin in C++ whose credential lives for ever, so that there is nothing to do.
#include <issuer/health.h>

#include <algorithm>
#include <cstring>
#include <new>

struct issuer_instance
{
	bool running = false;
};

namespace {

issuer_rc create(const issuer_host*, issuer_str, issuer_instance** out, issuer_error*) noexcept
{
	*out = new (std::nothrow) issuer_instance;
	return *out != nullptr ? ISSUER_OK : ISSUER_E_NOMEM;
}

issuer_rc destroy(issuer_instance* self, issuer_error*) noexcept
{
	if (self->running) {
		return ISSUER_E_BUSY;
	}
	delete self;
	return ISSUER_OK;
}

issuer_rc start(issuer_instance* self, issuer_error*) noexcept
{
	self->running = true;
	return ISSUER_OK;
}

issuer_rc stop(issuer_instance* self, uint32_t, issuer_error*) noexcept
{
	self->running = false;
	return ISSUER_OK;
}

issuer_rc setRecorder(issuer_instance*, const issuer_recorder*, issuer_error*) noexcept
{
	return ISSUER_OK;
}

issuer_rc snapshot(issuer_instance* self, issuer_health* out, issuer_error*) noexcept
{
	issuer_health now = {};
	now.struct_size = sizeof now;
	now.expires_unix_ms = now.next_unix_ms = now.last_success_unix_ms = now.last_attempt_unix_ms = -1;
	now.lease_ms = now.capped_at_unix_ms = now.next_login_unix_ms = now.login_ends_unix_ms = now.login_uses_left = -1;
	if (self->running) {
		now.state = ISSUER_STATE_NO_EXPIRY;
	}
	now.struct_size = std::min(now.struct_size, out->struct_size); // an older host has less room
	std::memcpy(out, &now, now.struct_size);
	return ISSUER_OK;
}

const void* getExtension(const char* id) noexcept
{
	static const issuer_health_ext health = {sizeof(issuer_health_ext), 0, snapshot};
	return std::strcmp(id, ISSUER_EXT_HEALTH) == 0 ? &health : nullptr;
}

const issuer_descriptor descriptor = {
	sizeof(issuer_descriptor), 0, "org.example.consumer", "Consumer's plugin", "3.1.4", nullptr};

} // namespace

const issuer_lifecycle issuer_lifecycle_v1 = {sizeof(issuer_lifecycle), ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, &descriptor,
	create, destroy, start, stop, setRecorder, getExtension};
