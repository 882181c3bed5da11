#pragma once

#include "conformance/trial.h"

#include <issuer/control.h>
#include <issuer/credential.h>
#include <issuer/diagnose.h>
#include <issuer/handover.h>
#include <issuer/health.h>
#include <issuer/kit/table.h>
#include <issuer/secrets.h>
#include <string>
#include <utility>
#include <vector>

namespace issuer::conformance {

/// Stores a text that a plugin lends, in the vector of strings behind `ctx`.
inline void keepText(void* ctx, issuer_str text) noexcept
{
	auto& texts = *static_cast<std::vector<std::string>*>(ctx);
	texts.emplace_back(text.ptr == nullptr ? "" : text.ptr, text.len);
}

/// Makes every call that takes an instance from inside one of its callbacks, and stores the answers.
class CallsFromInside
{
public:
	explicit CallsFromInside(Trial& trial) : _trial(trial) {}

	/// Makes the calls. Called inside the callback.
	void make() noexcept
	{
		if (std::exchange(_made, true)) {
			return;
		}
		auto* const self = _trial.instance.get();
		const auto& plugin = _trial.library.table();
		_answers = {{"set_recorder", plugin.set_recorder(self, nullptr, nullptr)},
			{"start", plugin.start(self, nullptr)}, {"stop", plugin.stop(self, 0, nullptr)}};
		if (const auto* credential = offered<issuer_credential_ext>(ISSUER_EXT_CREDENTIAL)) {
			_answers.emplace_back("use", credential->use(self, ignore, nullptr, nullptr));
		}
		if (const auto* health = offered<issuer_health_ext>(ISSUER_EXT_HEALTH)) {
			issuer_health now{};
			now.struct_size = sizeof now;
			_answers.emplace_back("snapshot", health->snapshot(self, &now, nullptr));
		}
		if (const auto* handover = offered<issuer_handover_ext>(ISSUER_EXT_HANDOVER)) {
			_answers.emplace_back("export_state", handover->export_state(self, ignore, nullptr, nullptr));
			if (kit::usable<issuer_handover_ext>(handover, &issuer_handover_ext::snapshot_state) != nullptr) {
				_answers.emplace_back("snapshot_state", handover->snapshot_state(self, ignore, nullptr, nullptr));
			}
		}
		if (const auto* diagnosis = offered<issuer_diagnose_ext>(ISSUER_EXT_DIAGNOSE)) {
			const auto find = [](void*, const issuer_finding*) noexcept {};
			_answers.emplace_back("diagnose", diagnosis->diagnose(self, 0, find, nullptr, nullptr));
			if (kit::usable<issuer_diagnose_ext>(diagnosis, &issuer_diagnose_ext::diagnose_login) != nullptr) {
				_answers.emplace_back("diagnose_login", diagnosis->diagnose_login(self, 0, find, nullptr, nullptr));
			}
		}
		if (const auto* secrets = offered<issuer_secrets_ext>(ISSUER_EXT_SECRETS)) {
			_answers.emplace_back("lend", secrets->lend(self, ignore, nullptr, nullptr));
			_answers.emplace_back("take", secrets->take(self, borrow("secrets"), nullptr));
		}
		if (const auto* control = offered<issuer_control_ext>(ISSUER_EXT_CONTROL)) {
			_answers.emplace_back("renew_now", control->renew_now(self, nullptr));
		}
	}

	void judge(const char* callback) const
	{
		if (!_made) {
			skip(std::string("it called no ") + callback);
		}
		for (const auto& [call, code] : _answers) {
			expectCode(std::string(call) + " from inside a " + callback, code, ISSUER_E_REENTRANT);
		}
	}

private:
	template <class Table>
	const Table* offered(const char* id) const
	{
		return static_cast<const Table*>(_trial.library.table().get_extension(id));
	}
	static void ignore(void*, issuer_str) noexcept {}

	Trial& _trial;
	bool _made = false;
	std::vector<std::pair<const char*, issuer_rc>> _answers;
};

} // namespace issuer::conformance
