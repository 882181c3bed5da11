#include "commands/commands.h"

namespace issuer::commands {

std::vector<std::unique_ptr<Command>> makeCommands()
{
	std::vector<std::unique_ptr<Command>> all;
	for (const auto make : {makeRun, makeStatus, makeDoctor, makeCheck, makeReload, makeSwap, makeRenew, makeLogLevel,
			 makeStage, makeGc, makeInspect, makeValidate, makeNewPlugin, makeManual, makeCompletion, makeValidateCheck,
			 makeCheckChild, makeCanaryChild, makePostEvent}) {
		all.push_back(make());
	}
	return all;
}

} // namespace issuer::commands
