/// An instance of a plugin, as a host holds it.
#pragma once

#include <issuer/kit/answer.h>
#include <issuer/kit/instance_parts.h>
#include <issuer/kit/lent.h>
#include <issuer/kit/listener.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace issuer::kit {

namespace detail {

[[nodiscard]] inline std::uint32_t milliseconds32(std::chrono::milliseconds time) noexcept
{
	return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count(), 0, UINT32_MAX));
}

} // namespace detail

/// One instance of a plugin. Keeps the plugin, its log and its recorder alive for as long as the instance may use them.
///
/// Threads are those of lifecycle.h: calls marked [control-thread] are made one at a time, but stop also while start
/// waits; the others at any time. As of any object, no call may be out when it is destroyed or moved from.
/// An object that was moved from or destroyed answers ISSUER_E_STATE to everything.
class Instance
{
	using Parts = detail::InstanceParts;

public:
	/// Makes an instance from a JSON text. `plugin` keeps its library loaded.
	/// Errors: those of create, and those of fit() for a table that cannot be driven.
	static Result<Instance> create(
		std::shared_ptr<const issuer_lifecycle> plugin, std::string_view config, std::shared_ptr<Log> log)
	{
		if (Answer found = fit(*plugin); !found) {
			return found;
		}
		auto parts = std::make_shared<Parts>(std::move(plugin), std::move(log));
		ErrorText error;
		const issuer_rc code = parts->plugin->create(&parts->host, borrow(config), &parts->self, error);
		if (code == ISSUER_OK && parts->self == nullptr) {
			return Answer{ISSUER_E_INTERNAL, "create answered ISSUER_OK and gave no instance"};
		}
		if (code != ISSUER_OK) {
			return error.answer(code);
		}
		return Instance(std::move(parts));
	}

	/// Stops the instance and destroys it. One that does not stop within 10 s is left alone: see leave().
	~Instance() { end(); }
	Instance(Instance&&) noexcept = default;
	Instance& operator=(Instance&& other) noexcept
	{
		if (this != &other) {
			end();
			_parts = std::move(other._parts);
		}
		return *this;
	}

	/// [control-thread]
	Answer start()
	{
		return called([](const Parts& parts, issuer_error* error) { return parts.plugin->start(parts.self, error); });
	}

	/// Ends all work. ISSUER_E_TIMEOUT: still stopping; call again. [control-thread, or any while start waits]
	Answer stop(std::chrono::milliseconds timeout)
	{
		return called([&](const Parts& parts, issuer_error* error) {
			return parts.plugin->stop(parts.self, detail::milliseconds32(timeout), error);
		});
	}

	/// Sends events to `recorder` from now on; null: to none. The one before is released once it is certain that it
	/// is not running and will not be called: this waits for a record that is being made. [control-thread]
	Answer setRecorder(std::shared_ptr<Recorder> recorder)
	{
		const issuer_recorder table{sizeof table, 0, recorder.get(), &Parts::record};
		const Answer answer = called([&](const Parts& parts, issuer_error* error) {
			return parts.plugin->set_recorder(parts.self, recorder != nullptr ? &table : nullptr, error);
		});
		if (answer) {
			_parts->recorder.swap(recorder);
		}
		return answer;
	}

	/// Ends an instance that does not run; ISSUER_E_BUSY where it does. [control-thread]
	Answer destroy()
	{
		Answer answer = called([](Parts& parts, issuer_error* error) {
			const issuer_rc code = parts.plugin->destroy(parts.self, error);
			parts.self = code == ISSUER_OK ? nullptr : parts.self;
			return code;
		});
		if (answer) {
			_parts.reset();
		}
		return answer;
	}

	/// Gives up an instance that cannot be stopped: it keeps all that it may use until the process ends.
	void leave() noexcept
	{
		if (_parts != nullptr) {
			detail::keepForEver(std::move(_parts));
		}
	}

	/// Returns whether the plugin offers "issuer.handover/1".
	[[nodiscard]] bool canHandOver() const noexcept { return _parts != nullptr && _parts->handover != nullptr; }

	/// Returns the state of a stopped instance, for its successor. It may be started again.
	/// ISSUER_E_UNSUPPORTED where the plugin does not offer it. [control-thread & !running]
	Result<std::string> exportState() { return stateBy(&issuer_handover_ext::export_state); }

	/// Returns the same as of now, also while it runs, for a successor on another machine should this one die.
	/// ISSUER_E_UNSUPPORTED where the plugin does not offer it. [thread-safe]
	Result<std::string> snapshotState() const { return stateBy(&issuer_handover_ext::snapshot_state); }

	/// Has a fresh instance go on from there. [control-thread & !running]
	Answer importState(std::string_view state)
	{
		return offered(
			&Parts::handover, [&](const issuer_handover_ext& table, issuer_instance* self, issuer_error* error) {
				return table.import_state(self, borrow(state), error);
			});
	}

	/// Returns whether `next` can take secrets of this: both plugins offer "issuer.secrets/1" and have the same id.
	[[nodiscard]] bool canLendTo(const Instance& next) const noexcept
	{
		const auto offers = [](const Instance& it) { return it._parts != nullptr && it._parts->secrets != nullptr; };
		const auto idOf = [](const Instance& it) { return std::string_view(it._parts->plugin->descriptor->id); };
		return offers(*this) && offers(next) && idOf(*this) == idOf(next);
	}

	/// Calls visit(std::string_view) with the secrets of a stopped instance, for its successor to take() inside the
	/// visit; once and before it returns; not at all on an error. Keep no copy. What `visit` throws is thrown on.
	/// ISSUER_E_UNAVAILABLE where it has none to lend. [control-thread & !running]
	template <class Visit>
	Answer lend(const Visit& visit) const
	{
		const auto show = [&](issuer_str secrets) { visit(view(secrets)); };
		detail::Lent lent(show);
		using Shown = decltype(lent);
		Answer answer =
			offered(&Parts::secrets, [&](const issuer_secrets_ext& table, issuer_instance* self, issuer_error* error) {
				return table.lend(
					self, [](void* ctx, issuer_str secrets) noexcept { (*static_cast<Shown*>(ctx))(secrets); }, &lent,
					error);
			});
		lent.rethrow();
		return answer;
	}

	/// Has a fresh instance copy secrets that its predecessor lends. [control-thread & !running]
	Answer take(std::string_view secrets) const
	{
		return offered(&Parts::secrets, [&](const issuer_secrets_ext& table, issuer_instance* self,
											issuer_error* error) { return table.take(self, borrow(secrets), error); });
	}

	/// Returns how things stand; fields that the plugin does not know are -1 or 0. [thread-safe]
	Result<issuer_health> health() const
	{
		issuer_health health{};
		health.struct_size = sizeof health;
		for (std::int64_t* unknown : {&health.expires_unix_ms, &health.next_unix_ms, &health.last_success_unix_ms,
				 &health.last_attempt_unix_ms, &health.lease_ms, &health.capped_at_unix_ms, &health.next_login_unix_ms,
				 &health.login_ends_unix_ms, &health.login_uses_left}) {
			*unknown = -1;
		}
		const Answer answer =
			offered(&Parts::health, [&](const issuer_health_ext& table, issuer_instance* self, issuer_error* error) {
				return table.snapshot(self, &health, error);
			});
		if (!answer) {
			return answer;
		}
		return health;
	}

	/// [thread-safe]
	Answer renewNow() const
	{
		return offered(&Parts::control, [](const issuer_control_ext& table, issuer_instance* self,
											issuer_error* error) { return table.renew_now(self, error); });
	}

	/// [thread-safe]
	Answer credentialChanged() const
	{
		return offered(&Parts::control, [](const issuer_control_ext& table, issuer_instance* self,
											issuer_error* error) { return table.credential_changed(self, error); });
	}

	/// Calls visit(std::string_view) with the live credential, once and before it returns; not at all on an error.
	/// An exception of `visit` is passed on. [thread-safe]
	template <class Visit>
	Answer use(const Visit& visit) const
	{
		const auto show = [&](issuer_str secret) { visit(view(secret)); };
		detail::Lent lent(show);
		using Shown = decltype(lent);
		Answer answer = offered(&Parts::credential, [&](const issuer_credential_ext& table, issuer_instance* self,
														issuer_error* error) {
			return table.use(
				self, [](void* ctx, issuer_str secret) noexcept { (*static_cast<Shown*>(ctx))(secret); }, &lent, error);
		});
		lent.rethrow();
		return answer;
	}

	/// Calls find(const issuer_finding&) for each thing that the plugin looks at, before it returns; each has all
	/// fields of 1.0. Exceptions of `find` are passed on. [control-thread & !running] [blocks <= timeout]
	template <class Find>
	Answer diagnose(std::chrono::milliseconds timeout, const Find& find) const
	{
		return diagnoseBy(&issuer_diagnose_ext::diagnose, timeout, find);
	}

	/// As diagnose(), of one login that is made for it, proven and revoked. ISSUER_E_UNSUPPORTED where the plugin or
	/// its configuration has no login. [control-thread & !running] [blocks <= timeout]
	template <class Find>
	Answer diagnoseLogin(std::chrono::milliseconds timeout, const Find& find) const
	{
		return diagnoseBy(&issuer_diagnose_ext::diagnose_login, timeout, find);
	}

private:
	template <class Slot>
	Result<std::string> stateBy(const Slot issuer_handover_ext::*slot) const
	{
		std::string text;
		const auto keep = [&](issuer_str blob) { text = view(blob); };
		detail::Lent lent(keep);
		using Write = decltype(lent);
		const Answer answer = offered(
			&Parts::handover, [&](const issuer_handover_ext& table, issuer_instance* self, issuer_error* error) {
				if (usable<issuer_handover_ext>(&table, slot) == nullptr) {
					return fail(error, ISSUER_E_UNSUPPORTED, "its plugin gives its state only once it is stopped");
				}
				return (table.*slot)(
					self, [](void* ctx, issuer_str blob) noexcept { (*static_cast<Write*>(ctx))(blob); }, &lent, error);
			});
		lent.rethrow();
		if (!answer) {
			return answer;
		}
		return text;
	}

	template <class Slot, class Find>
	Answer diagnoseBy(const Slot issuer_diagnose_ext::*slot, std::chrono::milliseconds timeout, const Find& find) const
	{
		const auto show = [&](const issuer_finding& finding) {
			if (ISSUER_HAS(&finding, issuer_finding, advice)) {
				find(finding);
			}
		};
		detail::Lent lent(show);
		using Shown = decltype(lent);
		Answer answer = offered(
			&Parts::diagnosis, [&](const issuer_diagnose_ext& table, issuer_instance* self, issuer_error* error) {
				if (usable<issuer_diagnose_ext>(&table, slot) == nullptr) {
					return fail(error, ISSUER_E_UNSUPPORTED, "its plugin has no login to try");
				}
				return (table.*slot)(
					self, detail::milliseconds32(timeout),
					[](void* ctx, const issuer_finding* finding) noexcept { (*static_cast<Shown*>(ctx))(*finding); },
					&lent, error);
			});
		lent.rethrow();
		return answer;
	}

	static constexpr const char* idOf(const issuer_health_ext*) { return ISSUER_EXT_HEALTH; }
	static constexpr const char* idOf(const issuer_control_ext*) { return ISSUER_EXT_CONTROL; }
	static constexpr const char* idOf(const issuer_handover_ext*) { return ISSUER_EXT_HANDOVER; }
	static constexpr const char* idOf(const issuer_credential_ext*) { return ISSUER_EXT_CREDENTIAL; }
	static constexpr const char* idOf(const issuer_diagnose_ext*) { return ISSUER_EXT_DIAGNOSE; }
	static constexpr const char* idOf(const issuer_secrets_ext*) { return ISSUER_EXT_SECRETS; }

	explicit Instance(std::shared_ptr<Parts> parts) noexcept : _parts(std::move(parts)) {}

	template <class Call>
	Answer called(const Call& call) const
	{
		if (_parts == nullptr) {
			return {ISSUER_E_STATE, "the instance is gone"};
		}
		ErrorText error;
		return error.answer(call(*_parts, error));
	}

	template <class Table, class Call>
	Answer offered(const Table* const Parts::*table, const Call& call) const
	{
		if (_parts != nullptr && (*_parts).*table == nullptr) {
			return {ISSUER_E_UNSUPPORTED, std::string("its plugin has no ") + idOf((*_parts).*table)};
		}
		return called(
			[&](const Parts& parts, issuer_error* error) { return call(*(parts.*table), parts.self, error); });
	}

	void end() noexcept
	{
		constexpr std::uint32_t generousMs = 10'000;
		if (_parts != nullptr && (_parts->plugin->stop(_parts->self, generousMs, nullptr) != ISSUER_OK ||
									 _parts->plugin->destroy(_parts->self, nullptr) != ISSUER_OK)) {
			leave();
		}
		_parts.reset();
	}

	std::shared_ptr<Parts> _parts; ///< null once it is gone
};

} // namespace issuer::kit
