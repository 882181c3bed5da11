#include "fleet/runner/ring_file.h"
#include "fleet/runner/runner.h"

#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>

/// Runner: what follows from each decision of the plan.
namespace issuer::fleet {

/// Carries the actions out in their order. One that fails does not keep the others from theirs, above all not those
/// that begin issuers; but a record, and deletions, rely on what comes before them. Throws the first failure at the
/// end.
void Runner::carryOut(Actions actions)
{
	std::exception_ptr failure;
	for (auto& action : actions) {
		if (failure && (std::holds_alternative<SetRecord>(action) || std::holds_alternative<DeleteStates>(action))) {
			continue;
		}
		try {
			std::visit([this](auto& one) { carryOut(one); }, action);
		}
		catch (const std::exception&) {
			failure = failure ? failure : std::current_exception();
		}
	}
	if (failure) {
		std::rethrow_exception(failure);
	}
}

void Runner::carryOut(Begin& action)
{
	{
		const std::lock_guard lock(_planMutex);
		++_begun[action.why];
	}
	_registry.keep(
		action.issuer, action.state ? std::optional(std::move(action.state->text)) : std::optional<std::string>());
}

void Runner::carryOut(const LetGo& action)
{
	{
		const std::lock_guard lock(_planMutex);
		_told.erase(action.issuer);
	}
	_registry.letGo(action.issuer);
}

void Runner::carryOut(WriteStates& action)
{
	for (auto& state : action.states) {
		if (auto known = _registry.state(state.name.issuer)) {
			state.text = std::move(known->first);
			state.plugin = std::move(known->second);
		}
	}
	{
		const std::lock_guard lock(_planMutex);
		_stateWrites += action.states.size();
	}
	_directory->write(std::move(action.states));
}

void Runner::carryOut(const SetRecord& action)
{
	_directory->setRecord(action.kept, action.lists);
}

void Runner::carryOut(ReadStates& action)
{
	_directory->read(std::move(action.shards));
}

void Runner::carryOut(DeleteStates& action)
{
	_directory->remove(std::move(action.names));
}

void Runner::carryOut(const JoinAs& action)
{
	const std::lock_guard lock(_planMutex);
	_directory->join(self(action.member), _plan->lists());
}

void Runner::carryOut(const SaveRing& action)
{
	if (const auto failed = writeRing(_settings.ringFile, action.text)) {
		say(ISSUER_LOG_WARN,
			"cannot write " + _settings.ringFile.string() +
				", so a start of this host while etcd is away will not know its fleet: " + failed.message());
	}
}

void Runner::carryOut(const Tell& action)
{
	say(action.level, action.text);
}

} // namespace issuer::fleet
