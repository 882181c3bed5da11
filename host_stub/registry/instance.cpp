#include "registry/instance.h"

#include "common/text.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace issuer::registry {

namespace {

issuer_str borrow(const std::string& text)
{
	return {text.data(), text.size()};
}

std::string_view view(issuer_str text)
{
	return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

/// Makes one call and turns its answer into a value.
template <class Call>
CallResult called(const Call& call)
{
	issuer_error error{};
	error.struct_size = sizeof error;
	const issuer_rc code = call(&error);
	if (code == ISSUER_OK) {
		return {};
	}
	const std::size_t length = ::strnlen(error.message, sizeof error.message);
	return tl::unexpected(
		CallError{code, length > 0 ? printable({error.message, length})
								   : "the plugin gives no reason (code " + std::to_string(code) + ")"});
}

std::uint32_t milliseconds32(std::chrono::milliseconds timeout)
{
	return static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.count(), 0, UINT32_MAX));
}

const issuer_handover_ext* handoverOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_handover_ext>(ISSUER_EXT_HANDOVER);
	const bool usable = table != nullptr && ISSUER_HAS(table, issuer_handover_ext, import_state) &&
						table->export_state != nullptr && table->import_state != nullptr;
	return usable ? table : nullptr;
}

const issuer_health_ext* healthOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_health_ext>(ISSUER_EXT_HEALTH);
	const bool usable =
		table != nullptr && ISSUER_HAS(table, issuer_health_ext, snapshot) && table->snapshot != nullptr;
	return usable ? table : nullptr;
}

const issuer_control_ext* controlOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_control_ext>(ISSUER_EXT_CONTROL);
	const bool usable = table != nullptr && ISSUER_HAS(table, issuer_control_ext, credential_changed) &&
						table->renew_now != nullptr && table->credential_changed != nullptr;
	return usable ? table : nullptr;
}

const issuer_diagnose_ext* diagnoseOf(const loader::Plugin& plugin)
{
	const auto* table = plugin.extension<issuer_diagnose_ext>(ISSUER_EXT_DIAGNOSE);
	const bool usable =
		table != nullptr && ISSUER_HAS(table, issuer_diagnose_ext, diagnose) && table->diagnose != nullptr;
	return usable ? table : nullptr;
}

tl::unexpected<CallError> noControl()
{
	return tl::unexpected(CallError{ISSUER_E_UNSUPPORTED, "its plugin has no " ISSUER_EXT_CONTROL});
}

} // namespace

struct Instance::Ears
{
	std::shared_ptr<const loader::Plugin> plugin;
	std::string issuer;
	std::shared_ptr<observe::EventSink> sink;
	issuer_host host{};
	issuer_recorder recorder{};
	std::atomic<issuer_state> lastHeard = ISSUER_STATE_STOPPED;

	Ears(std::shared_ptr<const loader::Plugin> itsPlugin, std::string itsIssuer,
		std::shared_ptr<observe::EventSink> itsSink)
		: plugin(std::move(itsPlugin)), issuer(std::move(itsIssuer)), sink(std::move(itsSink))
	{
		host = {sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, this, &Ears::log, &Ears::extension};
		recorder = {sizeof recorder, 0, this, &Ears::record};
	}

	// Nothing may be thrown into the plugin. What a sink can throw is a lack of memory, and then a line is lost.
	static void record(void* ctx, const issuer_event* event) noexcept
	try {
		Ears& self = *static_cast<Ears*>(ctx);
		if (ISSUER_HAS(event, issuer_event, detail)) {
			self.lastHeard = event->state;
			self.sink->event(self.issuer, *event);
		}
	}
	catch (const std::exception&) {
	}

	static void log(void* ctx, issuer_log_level level, issuer_str component, issuer_str text) noexcept
	try {
		const Ears& self = *static_cast<const Ears*>(ctx);
		self.sink->log(self.issuer, level, view(component), view(text));
	}
	catch (const std::exception&) {
	}

	static const void* extension(void*, const char*) noexcept { return nullptr; }
};

Instance::Instance(std::unique_ptr<Ears> ears)
	: _ears(std::move(ears)), _table(_ears->plugin->table()), _handover(handoverOf(*_ears->plugin)),
	  _health(healthOf(*_ears->plugin)), _control(controlOf(*_ears->plugin)), _diagnose(diagnoseOf(*_ears->plugin))
{
}

Instance::~Instance()
{
	if (_self != nullptr && !destroy()) {
		static_cast<void>(_ears.release()); // still in use by whatever does not stop, and so is the library
	}
}

tl::expected<std::unique_ptr<Instance>, CallError> Instance::create(std::shared_ptr<const loader::Plugin> plugin,
	const std::string& issuer, const std::string& config, std::shared_ptr<observe::EventSink> sink)
{
	std::unique_ptr<Instance> instance(
		new Instance(std::make_unique<Ears>(std::move(plugin), issuer, std::move(sink)))); // its constructor is private
	return called([&](issuer_error* error) {
		return instance->_table.create(&instance->_ears->host, borrow(config), &instance->_self, error);
	}).map([&] { return std::move(instance); });
}

CallResult Instance::start()
{
	return called([&](issuer_error* error) { return _table.start(_self, error); });
}

CallResult Instance::stop(std::chrono::milliseconds timeout)
{
	return called([&](issuer_error* error) { return _table.stop(_self, milliseconds32(timeout), error); });
}

CallResult Instance::record()
{
	return called([&](issuer_error* error) { return _table.set_recorder(_self, &_ears->recorder, error); });
}

issuer_state Instance::lastHeard() const
{
	return _ears->lastHeard;
}

CallResult Instance::recordNothing()
{
	return called([&](issuer_error* error) { return _table.set_recorder(_self, nullptr, error); });
}

CallResult Instance::destroy()
{
	return called([&](issuer_error* error) { return _table.destroy(_self, error); }).map([&] { _self = nullptr; });
}

tl::expected<std::string, CallError> Instance::exportState()
{
	std::string state;
	const issuer_write keep = [](void* ctx, issuer_str blob) noexcept { *static_cast<std::string*>(ctx) = view(blob); };
	return called([&](issuer_error* error) { return _handover->export_state(_self, keep, &state, error); }).map([&] {
		return std::move(state);
	});
}

CallResult Instance::importState(const std::string& state)
{
	return called([&](issuer_error* error) { return _handover->import_state(_self, borrow(state), error); });
}

CallResult Instance::renewNow()
{
	return _control == nullptr ? noControl()
							   : called([&](issuer_error* error) { return _control->renew_now(_self, error); });
}

CallResult Instance::credentialChanged()
{
	return _control == nullptr
			   ? noControl()
			   : called([&](issuer_error* error) { return _control->credential_changed(_self, error); });
}

CallResult Instance::diagnose(std::chrono::milliseconds timeout, const std::function<void(Finding)>& find) const
{
	if (_diagnose == nullptr) {
		return tl::unexpected(CallError{ISSUER_E_UNSUPPORTED, "its plugin has no " ISSUER_EXT_DIAGNOSE});
	}
	const issuer_find keep = [](void* ctx, const issuer_finding* finding) noexcept {
		const auto& heard = *static_cast<const std::function<void(Finding)>*>(ctx);
		if (ISSUER_HAS(finding, issuer_finding, advice)) {
			heard({finding->level, printable(view(finding->topic)), printable(view(finding->text)),
				printable(view(finding->advice))});
		}
	};
	void* const ctx = const_cast<std::function<void(Finding)>*>(&find); // a C pointer, that keep() only reads through
	return called(
		[&](issuer_error* error) { return _diagnose->diagnose(_self, milliseconds32(timeout), keep, ctx, error); });
}

std::optional<issuer_health> Instance::health() const
{
	issuer_health health{};
	health.struct_size = sizeof health;
	for (std::int64_t* unknown : {&health.expires_unix_ms, &health.next_unix_ms, &health.last_success_unix_ms,
			 &health.last_attempt_unix_ms, &health.lease_ms, &health.capped_at_unix_ms}) {
		*unknown = -1; // stays so where the plugin is older than the field
	}
	if (_health == nullptr || _health->snapshot(_self, &health, nullptr) != ISSUER_OK) {
		return std::nullopt;
	}
	return health;
}

} // namespace issuer::registry
