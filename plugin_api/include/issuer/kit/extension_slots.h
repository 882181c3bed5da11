/// The extensions of a plugin, each offered if the author's class has its functions:
///
///     "issuer.health/1"      Health health() const
///     "issuer.control/1"     Answer renewNow()                   and  Answer credentialChanged()
///     "issuer.handover/1"    Result<std::string> exportState()   and  Answer importState(std::string_view), and, if it
///                            has that besides, Result<std::string> snapshotState() const
///     "issuer.credential/1"  Answer use(const Visit&)
///     "issuer.diagnose/1"    Answer diagnose(std::chrono::milliseconds, const Find&), and, if it has that besides,
///                            Answer diagnoseLogin(std::chrono::milliseconds, const Find&)
///     "issuer.secrets/1"     Answer lend(const Lend&)            and  Answer take(std::string_view)
///     others                 static const void* extension(std::string_view id)
#pragma once

#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <issuer/kit/enter.h>
#include <issuer/kit/facts.h>
#include <issuer/secrets.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace issuer::kit {

/// Shows secrets to the host, for the length of the call: visit(secret).
class Visit
{
public:
	Visit(const issuer_instance* self, issuer_visit visit, void* ctx) noexcept : _self(self), _visit(visit), _ctx(ctx)
	{
	}

	void operator()(std::string_view secret) const noexcept
	{
		const CallbackScope inside(&_self->host);
		_visit(_ctx, borrow(secret));
	}

private:
	const issuer_instance* _self;
	issuer_visit _visit;
	void* _ctx;
};

/// Shows the host what the successor is to take, once: lend(secrets). The bytes are the caller's to wipe.
using Lend = Visit;

/// Tells the host of one thing that was looked at: find(finding). Its texts are made fit for people.
class Find
{
public:
	Find(const issuer_instance* self, issuer_find find, void* ctx) noexcept : _self(self), _find(find), _ctx(ctx) {}

	void operator()(const Finding& finding) const
	{
		const OneLine topic(finding.topic);
		const OneLine text(finding.text);
		const OneLine advice(finding.advice);
		const issuer_finding out{sizeof out, finding.level, topic.lend(), text.lend(), advice.lend()};
		const CallbackScope inside(&_self->host);
		_find(_ctx, &out);
	}

private:
	const issuer_instance* _self;
	issuer_find _find;
	void* _ctx;
};

namespace detail {

template <class Plugin>
issuer_rc snapshot(issuer_instance* self, issuer_health* out, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](const Plugin& plugin) -> Answer {
		if (out == nullptr || !ISSUER_HAS(out, issuer_health, reason)) {
			return {ISSUER_E_INVALID, "out: set its struct_size to sizeof(issuer_health)"};
		}
		issuer_health health = toAbi(plugin.health());
		health.struct_size = std::min(out->struct_size, health.struct_size); // an older host has less room
		std::memcpy(out, &health, health.struct_size);
		return {};
	});
}

template <class Plugin>
issuer_rc renewNow(issuer_instance* self, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [](Plugin& plugin) { return plugin.renewNow(); });
}

template <class Plugin>
issuer_rc credentialChanged(issuer_instance* self, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [](Plugin& plugin) { return plugin.credentialChanged(); });
}

/// Gives the state that `get` returns to `write`.
template <class Get>
Answer writeState(const issuer_instance* self, issuer_write write, void* ctx, const Get& get)
{
	if (write == nullptr) {
		return {ISSUER_E_INVALID, "write is NULL"};
	}
	const Result<std::string> text = get();
	if (text) {
		const CallbackScope inside(&self->host);
		write(ctx, borrow(*text));
	}
	return text.answer();
}

template <class Plugin>
issuer_rc exportState(issuer_instance* self, issuer_write write, void* ctx, issuer_error* err) noexcept
{
	return enter<Plugin>(
		self, err, [&](Plugin& plugin) { return writeState(self, write, ctx, [&] { return plugin.exportState(); }); });
}

template <class Plugin>
issuer_rc snapshotState(issuer_instance* self, issuer_write write, void* ctx, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err,
		[&](const Plugin& plugin) { return writeState(self, write, ctx, [&] { return plugin.snapshotState(); }); });
}

template <class Plugin>
issuer_rc importState(issuer_instance* self, issuer_str blob, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) { return plugin.importState(view(blob)); });
}

template <class Plugin>
issuer_rc use(issuer_instance* self, issuer_visit visit, void* ctx, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) -> Answer {
		if (visit == nullptr) {
			return {ISSUER_E_INVALID, "visit is NULL"};
		}
		return plugin.use(Visit(self, visit, ctx));
	});
}

template <class Plugin>
issuer_rc diagnose(
	issuer_instance* self, std::uint32_t timeoutMs, issuer_find find, void* ctx, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) -> Answer {
		if (find == nullptr) {
			return {ISSUER_E_INVALID, "find is NULL"};
		}
		return plugin.diagnose(std::chrono::milliseconds(timeoutMs), Find(self, find, ctx));
	});
}

template <class Plugin>
issuer_rc diagnoseLogin(
	issuer_instance* self, std::uint32_t timeoutMs, issuer_find find, void* ctx, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) -> Answer {
		if (find == nullptr) {
			return {ISSUER_E_INVALID, "find is NULL"};
		}
		return plugin.diagnoseLogin(std::chrono::milliseconds(timeoutMs), Find(self, find, ctx));
	});
}

template <class Plugin>
issuer_rc lend(issuer_instance* self, issuer_secrets_visit visit, void* ctx, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) -> Answer {
		if (visit == nullptr) {
			return {ISSUER_E_INVALID, "visit is NULL"};
		}
		return plugin.lend(Lend(self, visit, ctx));
	});
}

template <class Plugin>
issuer_rc take(issuer_instance* self, issuer_str secrets, issuer_error* err) noexcept
{
	return enter<Plugin>(self, err, [&](Plugin& plugin) { return plugin.take(view(secrets)); });
}

template <class Plugin>
inline constexpr issuer_health_ext healthTable{sizeof(issuer_health_ext), 0, snapshot<Plugin>};
template <class Plugin>
inline constexpr issuer_control_ext controlTable{
	sizeof(issuer_control_ext), 0, renewNow<Plugin>, credentialChanged<Plugin>};
template <class Plugin>
constexpr issuer_handover_ext makeHandoverTable()
{
	issuer_handover_ext table{sizeof(issuer_handover_ext), 0, exportState<Plugin>, importState<Plugin>, nullptr};
	if constexpr (requires { &Plugin::snapshotState; }) {
		table.snapshot_state = snapshotState<Plugin>;
	}
	return table;
}

template <class Plugin>
inline constexpr issuer_handover_ext handoverTable = makeHandoverTable<Plugin>();
template <class Plugin>
inline constexpr issuer_credential_ext credentialTable{sizeof(issuer_credential_ext), 0, use<Plugin>};
template <class Plugin>
constexpr issuer_diagnose_ext makeDiagnoseTable()
{
	issuer_diagnose_ext table{sizeof(issuer_diagnose_ext), 0, diagnose<Plugin>, nullptr};
	if constexpr (requires { &Plugin::diagnoseLogin; }) {
		table.diagnose_login = diagnoseLogin<Plugin>;
	}
	return table;
}

template <class Plugin>
inline constexpr issuer_diagnose_ext diagnoseTable = makeDiagnoseTable<Plugin>();
template <class Plugin>
inline constexpr issuer_secrets_ext secretsTable{sizeof(issuer_secrets_ext), 0, lend<Plugin>, take<Plugin>};

template <class Plugin>
const void* getExtension(const char* const named) noexcept
{
	const std::string_view id(named != nullptr ? named : "");
	if constexpr (requires { &Plugin::health; }) {
		if (id == ISSUER_EXT_HEALTH) {
			return &healthTable<Plugin>;
		}
	}
	if constexpr (
		requires { &Plugin::renewNow; } || requires { &Plugin::credentialChanged; }) {
		if (id == ISSUER_EXT_CONTROL) {
			return &controlTable<Plugin>;
		}
	}
	if constexpr (
		requires { &Plugin::exportState; } || requires { &Plugin::importState; }) {
		if (id == ISSUER_EXT_HANDOVER) {
			return &handoverTable<Plugin>;
		}
	}
	if constexpr (requires { &Plugin::use; }) {
		if (id == ISSUER_EXT_CREDENTIAL) {
			return &credentialTable<Plugin>;
		}
	}
	if constexpr (requires { &Plugin::diagnose; }) {
		if (id == ISSUER_EXT_DIAGNOSE) {
			return &diagnoseTable<Plugin>;
		}
	}
	if constexpr (
		requires { &Plugin::lend; } || requires { &Plugin::take; }) {
		if (id == ISSUER_EXT_SECRETS) {
			return &secretsTable<Plugin>;
		}
	}
	if constexpr (requires { &Plugin::extension; }) {
		return Plugin::extension(id);
	}
	return nullptr;
}

} // namespace detail
} // namespace issuer::kit
