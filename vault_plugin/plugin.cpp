// The exported table. Each slot checks its arguments, catches all exceptions, and leaves the rest to Instance.
#include "abi/handle.h"
#include "library.h"

#include <issuer/lifecycle.h>
#include <memory>

namespace issuer::vault {
namespace {

using abi::answer;
using abi::enter;
using abi::fail;
using abi::guard;

issuer_rc create(const issuer_host* host, issuer_str configJson, issuer_instance** out, issuer_error* err) noexcept
{
	if (out == nullptr) {
		return fail(err, ISSUER_E_INVALID, "out is NULL");
	}
	*out = nullptr;
	if (host == nullptr || !ISSUER_HAS(host, issuer_host, get_extension) || host->log == nullptr) {
		return fail(err, ISSUER_E_INVALID, "host: all fields of 1.0 are wanted, and a log");
	}
	return guard(err, [&] {
		auto config =
			parseConfig(configJson.len == 0 ? std::string_view() : std::string_view(configJson.ptr, configJson.len));
		if (!config) {
			return fail(err, ISSUER_E_INVALID, config.error().text);
		}
		config->transport.userAgent = "issuer-vault-plugin/" ISSUER_VERSION;
		*out =
			std::make_unique<issuer_instance>(*host, share(*config), std::move(config->token), lendServices).release();
		return abi::ok;
	});
}

issuer_rc destroy(issuer_instance* self, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		if (handle.instance.running()) {
			return fail(err, ISSUER_E_BUSY, "still running: stop it first");
		}
		delete self;
		return abi::ok;
	});
}

issuer_rc start(issuer_instance* self, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) { return answer(err, handle.instance.start()); });
}

issuer_rc stop(issuer_instance* self, uint32_t timeoutMs, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		return answer(err, handle.instance.stop(std::chrono::milliseconds(timeoutMs)));
	});
}

issuer_rc setRecorder(issuer_instance* self, const issuer_recorder* recorder, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		if (recorder != nullptr && (!ISSUER_HAS(recorder, issuer_recorder, record) || recorder->record == nullptr)) {
			return fail(err, ISSUER_E_INVALID, "recorder: all fields of 1.0 are wanted, and a record; or NULL");
		}
		handle.voice.setRecorder(recorder);
		return abi::ok;
	});
}

const void* getExtension(const char* id) noexcept
{
	return id != nullptr ? abi::extension(id) : nullptr;
}

constexpr issuer_descriptor descriptor{
	sizeof(issuer_descriptor), 0, "io.issuer.vault", "Vault", ISSUER_VERSION, configSchema};

} // namespace
} // namespace issuer::vault

// Constant data: a host may read it before any code of this library has run.
extern "C" constinit const issuer_lifecycle issuer_lifecycle_v1 = {sizeof(issuer_lifecycle), ISSUER_ABI_MAJOR,
	ISSUER_ABI_MINOR, &issuer::vault::descriptor, issuer::vault::create, issuer::vault::destroy, issuer::vault::start,
	issuer::vault::stop, issuer::vault::setRecorder, issuer::vault::getExtension};
