#pragma once

#include "commands/command.h"

#include <memory>
#include <vector>

namespace issuer::commands {

/// Makes all commands of the program, in the order in which help lists them.
[[nodiscard]] std::vector<std::unique_ptr<Command>> makeCommands();

/// Each makes one command, and is in the file of that name.
[[nodiscard]] std::unique_ptr<Command> makeRun();
[[nodiscard]] std::unique_ptr<Command> makeStatus();
[[nodiscard]] std::unique_ptr<Command> makeDoctor();
[[nodiscard]] std::unique_ptr<Command> makeCheck();
[[nodiscard]] std::unique_ptr<Command> makeReload();
[[nodiscard]] std::unique_ptr<Command> makeSwap();
[[nodiscard]] std::unique_ptr<Command> makeRenew();
[[nodiscard]] std::unique_ptr<Command> makeLogLevel();
[[nodiscard]] std::unique_ptr<Command> makeStage();
[[nodiscard]] std::unique_ptr<Command> makeGc();
[[nodiscard]] std::unique_ptr<Command> makeInspect();
[[nodiscard]] std::unique_ptr<Command> makeValidate();
[[nodiscard]] std::unique_ptr<Command> makeNewPlugin();
[[nodiscard]] std::unique_ptr<Command> makeManual();
[[nodiscard]] std::unique_ptr<Command> makeCompletion();

/// Those that the program runs as its own child processes. Help does not list them.
[[nodiscard]] std::unique_ptr<Command> makeValidateCheck();
[[nodiscard]] std::unique_ptr<Command> makeCheckChild();
[[nodiscard]] std::unique_ptr<Command> makeCanaryChild();
[[nodiscard]] std::unique_ptr<Command> makePostEvent();

} // namespace issuer::commands
