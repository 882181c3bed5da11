/// The objects on the host's side that an instance may use while it lives.
#pragma once

#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <issuer/kit/listener.h>
#include <issuer/kit/table.h>
#include <issuer/kit/text.h>
#include <issuer/secrets.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace issuer::kit {

namespace detail {

/// Keeps until the process ends all that an instance may use which does not stop.
inline void keepForEver(std::shared_ptr<void> used)
{
	static std::mutex mutex;
	static auto& kept = *new std::vector<std::shared_ptr<void>>; // at exit it is still in use
	const std::lock_guard lock(mutex);
	kept.push_back(std::move(used));
}

/// All that the plugin may use while the instance lives, at an address that stays.
struct InstanceParts
{
	InstanceParts(std::shared_ptr<const issuer_lifecycle> itsPlugin, std::shared_ptr<Log> itsLog)
		: plugin(std::move(itsPlugin)), log(std::move(itsLog)),
		  health(table(ISSUER_EXT_HEALTH, &issuer_health_ext::snapshot)),
		  control(table(ISSUER_EXT_CONTROL, &issuer_control_ext::renew_now, &issuer_control_ext::credential_changed)),
		  handover(table(ISSUER_EXT_HANDOVER, &issuer_handover_ext::export_state, &issuer_handover_ext::import_state)),
		  credential(table(ISSUER_EXT_CREDENTIAL, &issuer_credential_ext::use)),
		  diagnosis(table(ISSUER_EXT_DIAGNOSE, &issuer_diagnose_ext::diagnose)),
		  secrets(table(ISSUER_EXT_SECRETS, &issuer_secrets_ext::lend, &issuer_secrets_ext::take))
	{
	}

	template <class Table, class... Slot>
	[[nodiscard]] const Table* table(const char* id, Slot Table::*... slots) const noexcept
	{
		return usable<Table>(plugin->get_extension(id), slots...);
	}

	// A log or a recorder can only throw for lack of memory, and then a line is lost.
	static void logged(void* ctx, issuer_log_level level, issuer_str component, issuer_str text) noexcept
	try {
		static_cast<const InstanceParts*>(ctx)->log->log(level, view(component), view(text));
	}
	catch (...) {
	}

	static void record(void* ctx, const issuer_event* event) noexcept
	try {
		if (ISSUER_HAS(event, issuer_event, detail)) {
			static_cast<Recorder*>(ctx)->record(*event);
		}
	}
	catch (...) {
	}

	static const void* extension(void* ctx, const char* id) noexcept
	try {
		return static_cast<const InstanceParts*>(ctx)->log->extension(id);
	}
	catch (...) {
		return nullptr;
	}

	const std::shared_ptr<const issuer_lifecycle> plugin;
	const std::shared_ptr<Log> log;
	std::shared_ptr<Recorder> recorder;
	const issuer_health_ext* const health;
	const issuer_control_ext* const control;
	const issuer_handover_ext* const handover;
	const issuer_credential_ext* const credential;
	const issuer_diagnose_ext* const diagnosis;
	const issuer_secrets_ext* const secrets;
	const issuer_host host{sizeof host, ISSUER_ABI_MAJOR, ISSUER_ABI_MINOR, this, &logged, &extension};
	issuer_instance* self = nullptr;
};

} // namespace detail

} // namespace issuer::kit
