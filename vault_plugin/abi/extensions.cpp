#include "abi/handle.h"

#include <algorithm>
#include <cstring>
#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>

namespace issuer::vault::abi {
namespace {

std::int64_t milliseconds(std::optional<WallTime> time)
{
	return time ? std::chrono::floor<std::chrono::milliseconds>(time->time_since_epoch()).count() : -1;
}

issuer_health toAbi(const renewal::Snapshot& snapshot)
{
	issuer_health health{};
	health.struct_size = sizeof health;
	health.state = static_cast<issuer_state>(snapshot.state);
	health.reason = static_cast<issuer_reason>(snapshot.reason);
	health.consecutive_failures = snapshot.consecutiveFailures;
	health.expires_unix_ms = milliseconds(snapshot.expires);
	health.next_unix_ms = milliseconds(snapshot.next);
	health.last_success_unix_ms = milliseconds(snapshot.lastSuccess);
	health.last_attempt_unix_ms = milliseconds(snapshot.lastAttempt);
	health.success = snapshot.successes;
	health.failure = snapshot.failures;
	health.not_renewable = snapshot.notRenewables;
	health.last_latency_us = static_cast<std::uint64_t>(std::max<Duration::rep>(snapshot.lastLatency.count(), 0));
	health.lease_ms = std::chrono::floor<std::chrono::milliseconds>(snapshot.lease).count();
	health.capped_at_unix_ms = milliseconds(snapshot.cappedAt);
	return health;
}

issuer_rc snapshot(issuer_instance* self, issuer_health* out, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		if (out == nullptr || !ISSUER_HAS(out, issuer_health, reason)) {
			return fail(err, ISSUER_E_INVALID, "out: set its struct_size to sizeof(issuer_health)");
		}
		auto health = toAbi(handle.instance.snapshot());
		health.struct_size = static_cast<std::uint32_t>(std::min<std::size_t>(out->struct_size, sizeof health));
		std::memcpy(out, &health, health.struct_size);
		return ok;
	});
}

issuer_rc renewNow(issuer_instance* self, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) { return answer(err, handle.instance.renewNow()); });
}

issuer_rc credentialChanged(issuer_instance* self, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) { return answer(err, handle.instance.credentialChanged()); });
}

issuer_rc exportState(issuer_instance* self, issuer_write write, void* ctx, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		if (write == nullptr) {
			return fail(err, ISSUER_E_INVALID, "write is NULL");
		}
		const auto text = handle.instance.exportState();
		if (!text) {
			return fail(err, codeOf(text.error().kind), text.error().text);
		}
		const Voice::Callback callback(handle.voice);
		write(ctx, {text->data(), text->size()});
		return ok;
	});
}

issuer_rc importState(issuer_instance* self, issuer_str blob, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		const auto text = blob.len == 0 ? std::string_view() : std::string_view(blob.ptr, blob.len);
		return answer(err, handle.instance.importState(text));
	});
}

issuer_rc use(issuer_instance* self, issuer_visit visit, void* ctx, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		if (visit == nullptr) {
			return fail(err, ISSUER_E_INVALID, "visit is NULL");
		}
		return answer(err, handle.instance.useCredential([&](std::string_view secret) {
			const Voice::Callback callback(handle.voice);
			visit(ctx, {secret.data(), secret.size()});
		}));
	});
}

issuer_rc diagnose(
	issuer_instance* self, std::uint32_t timeoutMs, issuer_find find, void* ctx, issuer_error* err) noexcept
{
	return enter(self, err, [&](issuer_instance& handle) {
		if (find == nullptr) {
			return fail(err, ISSUER_E_INVALID, "find is NULL");
		}
		const auto borrow = [](const std::string& text) { return issuer_str{text.data(), text.size()}; };
		return answer(err, handle.instance.diagnose(std::chrono::milliseconds(timeoutMs), [&](const Finding& finding) {
			const issuer_finding out{sizeof out, static_cast<issuer_finding_level>(finding.level),
				borrow(finding.topic), borrow(finding.text), borrow(finding.advice)};
			const Voice::Callback callback(handle.voice);
			find(ctx, &out);
		}));
	});
}

constexpr issuer_health_ext health{sizeof(issuer_health_ext), 0, snapshot};
constexpr issuer_control_ext control{sizeof(issuer_control_ext), 0, renewNow, credentialChanged};
constexpr issuer_handover_ext handover{sizeof(issuer_handover_ext), 0, exportState, importState};
constexpr issuer_credential_ext credential{sizeof(issuer_credential_ext), 0, use};
constexpr issuer_diagnose_ext diagnosis{sizeof(issuer_diagnose_ext), 0, diagnose};

} // namespace

const void* extension(std::string_view id) noexcept
{
	struct Offer
	{
		std::string_view id;
		const void* table;
	};
	static constexpr Offer offers[] = {
		{ISSUER_EXT_HEALTH, &health},
		{ISSUER_EXT_CONTROL, &control},
		{ISSUER_EXT_HANDOVER, &handover},
		{ISSUER_EXT_CREDENTIAL, &credential},
		{ISSUER_EXT_DIAGNOSE, &diagnosis},
	};
	const auto* const offer = std::ranges::find(offers, id, &Offer::id);
	return offer != std::end(offers) ? offer->table : nullptr;
}

} // namespace issuer::vault::abi
